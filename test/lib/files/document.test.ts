import { assertDocument } from '../../../lib/files/document';

test.each(['invoice.pdf', 'REPORT.DOCX', 'sums.xlsx', 'photo.png', 'book.epub', 'call.mp3'])(
	'markup or JSON under the name %s is rejected',
	(name) => {
		expect(() => assertDocument({ name, isMarkup: true })).toThrow(
			expect.objectContaining({
				message: `"${name}" is a text by its content (markup or JSON)`,
				suggestion: expect.stringContaining('the error of a download') as string,
			}),
		);
		expect(() => assertDocument({ name })).not.toThrow();
	},
);

test.each([
	'page.html',
	'data.json',
	'notes.md',
	'a.xml',
	'sums.xls',
	'letter.doc',
	'log.txt',
	'logo.svg',
])('%s may be markup', (name) => {
	expect(() => assertDocument({ name, isMarkup: true })).not.toThrow();
});

test('the name in n8n is reported', () => {
	const file = { name: 'a_b.pdf', declaredName: 'a/b.pdf', isMarkup: true };
	expect(() => assertDocument(file)).toThrow('"a/b.pdf" is');
});
