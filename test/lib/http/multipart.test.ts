import * as fc from 'fast-check';

import { createFormBody, toUploadFileName, type FormPart } from '../../../lib/http/multipart';

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

async function bytesOf(content: AsyncIterable<Uint8Array> | Uint8Array): Promise<Buffer> {
	const pieces: Uint8Array[] = [];
	for await (const piece of content as AsyncIterable<Uint8Array>) pieces.push(piece);
	return Buffer.concat(pieces);
}

/** A form as parsed by undici. */
async function parseForm(parts: readonly FormPart[]) {
	const { content, contentType, length } = createFormBody(parts);
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
	await fc.assert(
		fc.asyncProperty(
			fc.array(
				fc.oneof(
					fc.record({ value: fc.string({ unit: 'grapheme' }) }),
					fc.record({ bytes: fc.uint8Array({ maxLength: 60 }) }),
				),
				{ maxLength: 4 },
			),
			async (inputs) => {
				const parts = inputs.map(
					(one, index): FormPart =>
						'value' in one
							? { field: `f${index}`, value: one.value.toWellFormed() }
							: { field: `f${index}`, value: file(one.bytes) },
				);
				expect(await parseForm(parts)).toEqual(
					inputs.map((one, index) => [
						`f${index}`,
						'value' in one
							? one.value.toWellFormed()
							: { name: 'a.wav', type: 'audio/wav', bytes: [...one.bytes] },
					]),
				);
			},
		),
		{ numRuns: 60 },
	);
});

test('a form that is sent again reads its files from the beginning', async () => {
	const { content, sent } = createFormBody([
		{ field: 'file', value: file(new Uint8Array(20).fill(7)) },
	]);
	expect(await bytesOf(content)).toEqual(await bytesOf(content));
	expect(sent).toEqual({ bytes: 20, unreadable: undefined });
});

test('a file with another size than stored ends the form early', async () => {
	const short = createFormBody([
		{ field: 'file', value: file(new Uint8Array(20), 'a.wav', 'audio/wav', 30) },
	]);
	expect((await bytesOf(short.content)).toString()).not.toContain('--\r\n');
	expect(short.sent.unreadable).toEqual({ name: 'a.wav', reason: 'it ended after 20 of 30 bytes' });
});

test('file names without characters that servers reject', () => {
	expect(['a:b?.wav', 'C:\\x\\y.wav', '\r\nX: y', '  '].map(toUploadFileName)).toEqual([
		'a_b_.wav',
		'C__x_y.wav',
		'__X_ y',
		'file',
	]);
});
