/**
 * A second lint of the source, beside n8n's: no regular expression may take more than linear time, since each of them may
 * receive text from a model, a file or a visitor. n8n's strict mode allows no further rules in `eslint.config.mjs`.
 */
import regexp from 'eslint-plugin-regexp';
import typescript from 'typescript-eslint';

export default [
	{
		files: ['**/*.ts'],
		languageOptions: { parser: typescript.parser },
		plugins: { regexp },
		rules: {
			'regexp/no-super-linear-backtracking': ['error', { report: 'certain' }],
			'regexp/no-super-linear-move': 'error',
		},
	},
];
