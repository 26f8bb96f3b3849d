/** The browser's storage, which may be forbidden: what is kept then lasts as long as the page. */
class Guarded {
  private readonly here = new Map<string, string>();

  constructor(private readonly real: () => Storage) {}

  getItem(key: string): string | null {
    try {
      return this.real().getItem(key);
    } catch {
      return this.here.get(key) ?? null;
    }
  }

  setItem(key: string, value: string): void {
    try {
      this.real().setItem(key, value);
    } catch {
      this.here.set(key, value);
    }
  }

  removeItem(key: string): void {
    this.here.delete(key);
    try {
      this.real().removeItem(key);
    } catch {
      // It was kept here alone.
    }
  }

  /** What was kept under it, once. */
  take(key: string): string | null {
    const found = this.getItem(key);
    this.removeItem(key);
    return found;
  }

  /** Whether what is kept outlives this page. */
  lasts(): boolean {
    try {
      this.real().setItem("townhall.lasts", "1");
      this.real().removeItem("townhall.lasts");
      return true;
    } catch {
      return false;
    }
  }
}

export const session = new Guarded(() => sessionStorage);
export const local = new Guarded(() => localStorage);
