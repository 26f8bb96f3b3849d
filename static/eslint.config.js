import tseslint from "typescript-eslint";

// No markup from strings: texts of strangers are only ever text.
const noMarkup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML", "srcdoc"].map((name) => ({
  selector: `MemberExpression[property.name='${name}'], JSXAttribute[name.name='${name}']`,
  message: "Texts are only ever set as text.",
}));

export default tseslint.config(
  { ignores: ["node_modules", "src/protocol/types.ts", "src/protocol/schema.json"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.{ts,tsx}"],
    rules: {
      "no-restricted-syntax": ["error", ...noMarkup],
      "no-eval": "error",
      "no-implied-eval": "error",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-console": "error",
    },
  },
  { files: ["build/**"], rules: { "no-console": "off" } },
);
