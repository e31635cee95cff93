import tseslint from 'typescript-eslint';

const firebaseSeam = ['error', { patterns: [
  { group: ['firebase-functions', 'firebase-functions/*'], allowTypeImports: true, message: 'Only runtime/, functions.ts and triggers.ts speak to firebase-functions.' },
  { group: ['firebase-admin', 'firebase-admin/*'], allowTypeImports: true, message: 'Only runtime/, store.ts and store-*.ts speak to firebase-admin.' },
] }];

export default tseslint.config(
  { ignores: ['**/node_modules/', 'functions/lib/', 'emulator-data/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['functions/src/**/*.ts'],
    ignores: ['functions/src/runtime/**', 'functions/src/index.ts', 'functions/src/api.ts', '**/functions.ts', '**/triggers.ts', '**/store.ts', '**/store-*.ts', '**/*.test.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': firebaseSeam },
  },
  { files: ['tools/**', 'functions/test/**', '**/*.test.ts'], rules: { 'no-console': 'off' } },
  { files: ['**/*.mjs', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked], rules: { 'no-console': 'off' } },
);
