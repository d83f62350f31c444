/**
 * n8n's rules are for nodes, and forbid built-in modules and timers: Oxlint lints the tests (.oxlintrc.json). ESLint finds
 * this file with the flag that `npm run lint` and `.vscode/settings.json` set.
 */
export default [{ ignores: ['**'] }];
