/** The settings of n8n's starter for community nodes, with lines of up to 100 characters. */
module.exports = {
	semi: true,
	trailingComma: 'all',
	bracketSpacing: true,
	useTabs: true,
	tabWidth: 2,
	arrowParens: 'always',
	singleQuote: true,
	quoteProps: 'as-needed',
	endOfLine: 'lf',
	printWidth: 100,
	// Parses in half the time.
	plugins: ['@prettier/plugin-oxc'],
	overrides: [
		{
			files: ['**/package.json', '**/tsconfig*.json', 'workflows/*.json'],
			options: { useTabs: false },
		},
	],
};
