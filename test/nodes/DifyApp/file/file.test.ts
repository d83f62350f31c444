import { createBinaryItem, startChatApp, executeApp } from '../app';

describe('files', () => {
	it('an upload returns the file for a later run, and a download returns its content', async () => {
		const sim = await startChatApp({ fileUpload: { enabled: true } });
		const [upload] = await executeApp(
			sim,
			{ resource: 'file', operation: 'upload', binaryPropertyName: 'data' },
			{ items: [createBinaryItem('a.pdf', 'application/pdf', 'pdf!')] },
		);
		expect(upload!.json).toMatchObject({
			type: 'document',
			fileName: 'a.pdf',
			bytes: 4,
			file: { transfer_method: 'local_file' },
		});
		const id = String(upload!.json.uploadFileId);
		sim.store.files.get(id)!.attachedTo.add(sim.app('chat').id);
		const [download] = await executeApp(sim, {
			resource: 'file',
			operation: 'download',
			fileId: id,
			binaryPropertyOutput: 'data',
		});
		expect(download!.json).toMatchObject({ fileName: 'a.pdf', bytes: 4 });
		expect(Buffer.from(download!.binary!.data!.data, 'base64').toString()).toBe('pdf!');
	});
});
