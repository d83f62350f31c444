/** Texts of the nodes that the pages about problems quote: each is a text that the package has. */
import type { ErrorType } from '../../lib/errors/error-types';
import { ERROR_TYPES, getErrorText } from '../../lib/errors/error-types';
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

/** What says them: sources, without backslashes before quotation marks, and what they make of each fact. */
const texts = [...SOURCES, 'test/lib/errors/error-types.approved.txt'].map((file) =>
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

/** What the test of a credential says begins with the title of an error, or is a sentence of its own: none is a copy of a title. */
test('a credential takes titles from the errors', () => {
	const files = SOURCES.filter((file) => file.startsWith('credentials'));
	expect(files.length).toBeGreaterThan(1);
	const titles = ERROR_TYPES.flatMap((type: ErrorType) =>
		[undefined, 'dify' as const].map((service) => getErrorText(type, { service }).title),
	).filter((title) => title.split(' ').length > 3);
	const copies = files.flatMap((file) =>
		titles.filter((title) => read(file).includes(title)).map((title) => `${file}: ${title}`),
	);
	expect([...new Set(copies)]).toEqual([]);
});
