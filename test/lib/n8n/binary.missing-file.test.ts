import type { IExecuteFunctions } from 'n8n-workflow';
import { createFileSource } from '../../../lib/n8n/binary';

const contextWith = (file: object, error: Error) =>
	({
		helpers: {
			assertBinaryData: () => ({ id: 'filesystem-v2:1', mimeType: 'audio/wav', ...file }),
			getBinaryMetadata: async () => await Promise.reject(error),
		},
	}) as unknown as IExecuteFunctions;

test.each([
	['data', 0, { fileName: 'note.wav' }, 'note.wav', new Error('File not found: /data/1')],
	['photo', 2, { fileExtension: 'png' }, 'photo.png', new Error('ENOENT')],
	['data', 1, {}, 'data', new Error('NoSuchKey')],
	['x', 9, { fileName: 'a b.pdf' }, 'a b.pdf', new TypeError('')],
])('field %s, item %d: a file that is missing', async (field, item, file, name, reason) => {
	await expect(createFileSource(contextWith(file, reason), item, field)).rejects.toMatchObject({
		type: 'invalidInput',
		message: `The file "${name}" is missing in the binary data storage of n8n`,
		detail: expect.stringContaining(`in the field "${field}" of item ${item + 1}`) as string,
	});
});

test('of a field with a long name that the item does not have, the beginning is named, and what the item has', async () => {
	const context = {
		helpers: {},
		getInputData: () => [{ json: {}, binary: { recording: {} } }],
	} as unknown as IExecuteFunctions;
	await expect(createFileSource(context, 0, 'n'.repeat(500_000))).rejects.toMatchObject({
		message: `The item has no binary field '${'n'.repeat(99)}…'. The item has: recording`,
	});
});
