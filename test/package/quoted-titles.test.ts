/** Texts of the nodes that the pages about problems quote: each is a text that the package has. */
import { read, SOURCES } from './sources';

/** The first column of a table has what a person sees. `…` stands for a value, as do `N` and `M`. */
const PAGES = [
	{ page: 'docs/troubleshooting.md', quoted: /"([^"|\n]{12,})"/g },
	{ page: 'docs/troubleshooting.zh-CN.md', quoted: /“([^”|\n]{12,})”/g },
];

/** Quotations of others, with the reason. */
const OF_OTHERS: Readonly<Record<string, string>> = {
	'Incorrect API key provided': 'a model provider of Dify',
	'…ConnectionPool(host=…': 'a plugin of Dify',
};

/** What says them: sources, without backslashes before quotation marks, and what they make of each fact. A credential repeats titles. */
const SAYS = SOURCES.filter((file) => !file.startsWith('credentials'));
const texts = [...SAYS, 'test/lib/errors/error-types.approved.txt'].map((file) =>
	read(file).replace(/\\(['"`])/g, '$1'),
);

const readFirstColumns = (page: string): string[] =>
	read(page)
		.split('\n')
		.filter((line) => line.startsWith('|'))
		.map((line) => line.split('|')[1]!);

const isText = (quote: string): boolean => {
	const parts = quote.split(/…|\b[NM]\b/).map((part) => part.trim());
	return texts.some((text) => parts.every((part) => text.includes(part)));
};

test.each(PAGES)('$page quotes what the nodes say', ({ page, quoted }) => {
	const quotes = readFirstColumns(page).flatMap((cell) =>
		[...cell.matchAll(quoted)].map(([, quote = '']) => quote),
	);
	expect(quotes.length).toBeGreaterThan(100);
	const unknown = quotes.filter((quote) => !Object.hasOwn(OF_OTHERS, quote) && !isText(quote));
	expect({ page, unknown }).toEqual({ page, unknown: [] });
});
