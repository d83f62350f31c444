/** A document of 200 MB is streamed without being held in memory, measured in a separate process. */
import { build } from 'esbuild';

import { addDataset, knowledgeKey } from '../../../simulators/dify';
import { startSim } from '../../../lib/dify/client';
import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import * as util from 'node:util';

const MEGABYTE = 1024 * 1024;
const LARGE = 200 * MEGABYTE;
const run = util.promisify(childProcess.execFile);

interface Measurement {
	/** Bytes. */
	grew: number;
	json: Record<string, unknown>;
}

let folder: string;

beforeAll(async () => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'large-document-'));
	await build({
		entryPoints: [
			path.join(process.cwd(), 'test/nodes/DifyKnowledge/document/large-document.child.ts'),
		],
		outfile: path.join(folder, 'child.cjs'),
		bundle: true,
		platform: 'node',
		format: 'cjs',
		keepNames: true,
		external: ['n8n-workflow'],
		logLevel: 'error',
	});
	const file = fs.openSync(path.join(folder, 'long.txt'), 'w');
	fs.ftruncateSync(file, LARGE);
	fs.closeSync(file);
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

it('its upload needs less than 64 MB of memory', async () => {
	const sim = await startSim({ keepBytes: 1024, nginxBodyLimit: 2 * LARGE });
	const dataset = addDataset(sim.store, { technique: 'economy', form: 'text_model' });
	const program = path.join(folder, 'child.cjs');
	const file = path.join(folder, 'long.txt');
	const env = {
		...process.env,
		NODE_PATH: path.join(process.cwd(), 'node_modules'),
		NODE_OPTIONS: '',
	};
	const measureGrowth = async () => {
		const args = [program, sim.url, knowledgeKey(), dataset.id, file, String(LARGE)];
		return JSON.parse((await run(process.execPath, args, { env })).stdout) as Measurement;
	};
	// Uncollected memory counts as well, and is larger on a busy machine.
	let minGrowth = Infinity;
	for (let attempt = 0; attempt < 3 && minGrowth >= 64 * MEGABYTE; attempt++) {
		const { grew, json } = await measureGrowth();
		expect(json).toMatchObject({
			action: 'updated',
			name: 'long.txt',
			indexingStatus: 'completed',
		});
		minGrowth = Math.min(minGrowth, grew);
	}
	const parts = sim.requests.flatMap(({ upload }) => upload?.parts ?? []);
	expect(parts.map(({ size }) => size)).toContain(LARGE);
	expect(minGrowth / MEGABYTE).toBeLessThan(64);
});
