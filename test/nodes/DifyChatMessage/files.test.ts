import { closeSims, startSim } from '../../lib/dify/client';
import { SIM_VERSIONS, type Json } from '../../servers/dify';
import { WITH_FILES, chat } from '../dify';

afterEach(closeSims);

describe.each(SIM_VERSIONS)('files, %s', (version) => {
	test('Files: each has the shape that Dify reads, with the id that Dify gave', async () => {
		const sim = await startSim({ version });
		await chat(sim, WITH_FILES);
		const [png, pdf] = [...sim.store.files.keys()];
		expect((sim.requests.at(-1)!.json as Json).files).toEqual([
			{ type: 'image', transfer_method: 'local_file', upload_file_id: png },
			{ type: 'document', transfer_method: 'local_file', upload_file_id: pdf },
			{ type: 'image', transfer_method: 'remote_url', url: 'https://example.com/c.png' },
		]);
		expect(sim.runs[0]!.files).toHaveLength(3);
	});

	test('Upload: the part "file", the same user, a boundary, bytes from the item and from the store, and no limit of its own', async () => {
		const sim = await startSim({ version });
		await chat(sim, WITH_FILES);
		const uploads = sim.requests.filter(({ path }) => path === '/files/upload');
		expect(uploads.map(({ upload }) => [upload!.fields, upload!.parts.map(({ name, size }) => [name, size])])).toEqual([
			[{ user: 'u1' }, [['file', 4]]],
			[{ user: 'u1' }, [['file', 12 * 1024 * 1024]]],
		]);
		for (const { headers } of uploads) expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=\S+$/);
		expect(Buffer.from([...sim.store.files.values()][0]!.content).toString()).toBe('png!');
	});
});
