import * as fc from 'fast-check';

import { createFormBody, toUploadFileName } from '../../../lib/http/multipart';
import type { FileSource, FormFile } from '../../../lib/http/multipart';
import type { UploadBody } from '../../../lib/http/types';

const file = (
	bytes: Uint8Array,
	name = 'a.wav',
	mimeType = 'audio/wav',
	size = bytes.byteLength,
) => ({
	name,
	mimeType,
	size,
	open: async function* () {
		for (let at = 0; at < bytes.byteLength; at += 7) yield bytes.subarray(at, at + 7);
	},
});

async function bytesOf(content: UploadBody['content']): Promise<Buffer> {
	const pieces: Uint8Array[] = [];
	for await (const piece of content) pieces.push(piece);
	return Buffer.concat(pieces);
}

/** One file, as most tasks send it. */
const asFile = (source: FileSource): FormFile[] => [{ field: 'file', file: source }];

/** A form as parsed by undici. */
async function parseForm(fields: Record<string, unknown>, files: readonly FormFile[]) {
	const { content, contentType, length } = createFormBody(fields, files);
	const bytes = await bytesOf(content);
	expect(bytes.byteLength).toBe(length);
	const form = await new Response(new Uint8Array(bytes), {
		headers: { 'content-type': contentType },
	}).formData();
	const entries: Array<[string, unknown]> = [];
	for (const [name, value] of form.entries())
		entries.push([
			name,
			typeof value === 'string'
				? value
				: {
						name: value.name,
						type: value.type,
						bytes: [...new Uint8Array(await value.arrayBuffer())],
					},
		]);
	return entries;
}

test('fields and files of any content arrive unchanged, in order', async () => {
	const text = fc.string({ unit: 'grapheme' }).map((value) => value.toWellFormed());
	const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.integer(), fc.boolean());
	await fc.assert(
		fc.asyncProperty(
			fc.array(value, { maxLength: 4 }),
			fc.array(
				fc.tuple(fc.constantFrom('file', 'image[]', 'mask'), fc.uint8Array({ maxLength: 60 })),
				{
					maxLength: 3,
				},
			),
			async (values, contents) => {
				const fields = values.map((each, index) => [`f${index}`, each] as const);
				const files = contents.map(([field, bytes]) => ({ field, file: file(bytes) }));
				expect(await parseForm(Object.fromEntries(fields), files)).toEqual([
					...fields.flatMap(([name, each]) => [each].flat().map((entry) => [name, String(entry)])),
					...contents.map(([field, bytes]) => [
						field,
						{ name: 'a.wav', type: 'audio/wav', bytes: [...bytes] },
					]),
				]);
			},
		),
		{ numRuns: 60 },
	);
});

test('the name of a field ends neither its line nor its part', async () => {
	const { content } = createFormBody({ 'a"\r\nX-Evil: 1': 'b' }, asFile(file(Buffer.from('c'))));
	expect((await bytesOf(content)).toString()).toContain(
		'\r\nContent-Disposition: form-data; name="a%22%0D%0AX-Evil: 1"\r\n\r\nb\r\n',
	);
});

test('a form that is sent again reads its files from the beginning', async () => {
	const { content, sent } = createFormBody({}, asFile(file(new Uint8Array(20).fill(7))));
	expect(await bytesOf(content)).toEqual(await bytesOf(content));
	expect(sent).toEqual({ bytes: 20, unreadable: undefined });
});

test('a file with another size than stored ends the form early', async () => {
	const short = createFormBody({}, asFile(file(new Uint8Array(20), 'a.wav', 'audio/wav', 30)));
	expect((await bytesOf(short.content)).toString()).not.toContain('--\r\n');
	expect(short.sent.unreadable).toEqual({ name: 'a.wav', reason: 'it ended after 20 of 30 bytes' });
});

test('a form ends with the file that could not be read, whatever the others had', async () => {
	const long = file(new Uint8Array(20), 'long.png', 'image/png', 10);
	const form = createFormBody({}, [
		{ field: 'image', file: file(new Uint8Array(30), 'first.png') },
		{ field: 'image', file: long },
		{ field: 'mask', file: file(new Uint8Array(5), 'mask.png') },
	]);
	const text = (await bytesOf(form.content)).toString();
	expect([text.includes('first.png'), text.includes('mask.png'), text.includes('--\r\n')]).toEqual([
		true,
		false,
		false,
	]);
	expect(form.sent.unreadable).toEqual({
		name: 'long.png',
		reason: 'it is longer than its 10 bytes',
	});
});

test('a form that is sent again forgets that its file could not be read', async () => {
	let isFirst = true;
	const bytes = new Uint8Array(20).fill(7);
	const source = {
		...file(bytes),
		async *open() {
			yield bytes.subarray(0, 10);
			if (isFirst) {
				isFirst = false;
				throw new Error('The disk is gone');
			}
			yield bytes.subarray(10);
		},
	};
	const { content, length, sent } = createFormBody({}, asFile(source));
	expect((await bytesOf(content)).byteLength).toBeLessThan(length);
	expect(sent.unreadable).toEqual({ name: 'a.wav', reason: 'The disk is gone' });
	expect((await bytesOf(content)).byteLength).toBe(length);
	expect(sent).toEqual({ bytes: 20, unreadable: undefined });
});

test('file names without characters that servers reject', () => {
	expect(['a:b?.wav', 'C:\\x\\y.wav', '\r\nX: y', '  '].map(toUploadFileName)).toEqual([
		'a_b_.wav',
		'C__x_y.wav',
		'__X_ y',
		'file',
	]);
});
