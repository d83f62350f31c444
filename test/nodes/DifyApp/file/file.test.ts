import { binaryItem, chatApp, run } from '../app';

describe('files', () => {
	it('upload gives what a later run takes, download gives it back', async () => {
		const sim = await chatApp({ fileUpload: { enabled: true } });
		const [up] = await run(
			sim,
			{ resource: 'file', operation: 'upload', binaryPropertyName: 'data' },
			{ items: [binaryItem('a.pdf', 'application/pdf', 'pdf!')] },
		);
		expect(up!.json).toMatchObject({
			type: 'document',
			fileName: 'a.pdf',
			bytes: 4,
			file: { transfer_method: 'local_file' },
		});
		const id = String(up!.json.uploadFileId);
		sim.store.files.get(id)!.attachedTo.add(sim.app('chat').id);
		const [down] = await run(sim, {
			resource: 'file',
			operation: 'download',
			fileId: id,
			binaryPropertyOutput: 'data',
		});
		expect(down!.json).toMatchObject({ fileName: 'a.pdf', bytes: 4 });
		expect(Buffer.from(down!.binary!.data!.data, 'base64').toString()).toBe('pdf!');
	});
});
