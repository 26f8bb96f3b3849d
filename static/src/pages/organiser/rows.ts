/** Departments and directors as the form has them: one row a director, ids made where nobody gave one. */
import type { Department, Director } from "../../protocol/types";

export interface Row {
  departmentId: string;
  department: string;
  departmentEn: string;
  duties: string;
  directorId: string;
  director: string;
  directorEn: string;
  title: string;
  titleEn: string;
}

export const EMPTY: Row = { departmentId: "", department: "", departmentEn: "", duties: "", directorId: "", director: "", directorEn: "", title: "", titleEn: "" };

export function toRows(departments: readonly Department[], directors: readonly Director[]): Row[] {
  return directors.map((director) => {
    const department = departments.find((one) => one.id === director.department);
    return {
      departmentId: director.department,
      department: department?.name_ko ?? "",
      departmentEn: department?.name_en ?? "",
      duties: (department?.duties ?? []).join(", "),
      directorId: director.id,
      director: director.name,
      directorEn: director.name_en ?? "",
      title: director.title ?? "",
      titleEn: director.title_en ?? "",
    };
  });
}

export function fromRows(rows: readonly Row[]): { departments: Department[]; directors: Director[] } {
  const departments: Department[] = [];
  const directors: Director[] = [];
  const free = (kind: string, taken: readonly { id: string }[]): string => {
    for (let number = taken.length + 1; ; number++) if (!taken.some((one) => one.id === `${kind}-${number}`)) return `${kind}-${number}`;
  };
  for (const row of rows.filter((one) => one.department.trim() && one.director.trim())) {
    let department = departments.find((one) => one.name_ko === row.department.trim());
    if (!department) {
      const id = row.departmentId && !departments.some((one) => one.id === row.departmentId) ? row.departmentId : free("dept", departments);
      department = {
        id,
        name_ko: row.department.trim(),
        name_en: row.departmentEn.trim() || row.department.trim(),
        duties: row.duties.split(/[,;·\n]+/).map((word) => word.trim()).filter(Boolean),
      } as Department;
      departments.push(department);
    }
    const id = row.directorId && !directors.some((one) => one.id === row.directorId) ? row.directorId : free("director", directors);
    directors.push({ id, department: department.id, name: row.director.trim(), name_en: row.directorEn.trim(), title: row.title.trim(), title_en: row.titleEn.trim() });
  }
  return { departments, directors };
}
