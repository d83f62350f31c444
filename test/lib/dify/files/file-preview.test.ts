import { previewFile } from '../../../../lib/dify/files/file-preview';
import { uploadFile } from '../../../../lib/dify/files/upload';
import { clientOf, failureOf, fileOf, say, startApp, UNKNOWN_ID } from '../client';

describe('a file of the app', () => {
	it('is fetched under the name it was uploaded with, once a message used it', async () => {
		const sim = await startApp({
			mode: 'chat',
			fileUpload: { enabled: true, types: ['document'], number: 3 },
		});
		const client = clientOf(sim);
		const id = await uploadFile(client, fileOf('Größe', 'Maße 1.txt'), 'u1');
		const failed = await failureOf(previewFile(client, id));
		expect([failed.kind, failed.remedy]).toEqual([
			'fileNotFound',
			expect.stringContaining('not a fresh upload'),
		]);
		await say(client, {
			files: [{ type: 'document', transfer_method: 'local_file', upload_file_id: id }],
		});
		const { content, name } = await previewFile(client, id);
		const pieces = [];
		for await (const piece of content) pieces.push(piece);
		expect([name, Buffer.concat(pieces).toString()]).toEqual(['Maße 1.txt', 'Größe']);
	});

	it('D133: that is not there says why', async () => {
		const sim = await startApp({ mode: 'chat' });
		expect((await failureOf(previewFile(clientOf(sim), UNKNOWN_ID))).message).toBe(
			'Dify does not show this file',
		);
	});
});
