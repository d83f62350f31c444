/** Recordings of hundreds of megabytes are never fully in memory: measured in a separate process. */
import { build } from 'esbuild';

import { isNightly } from '../../support/jest/properties';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../../support/servers/scripted-server';
import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const MEGABYTE = 1024 * 1024;
/** More than the memory that a process may need for anything else. */
const LARGE = (isNightly ? 200 : 120) * MEGABYTE;
const MAX_GROWTH = 100 * MEGABYTE;

let folder: string;
let server: ScriptedServer;

const answer: Answer = ({ method, path: route }, response) => {
	if (method !== 'POST') return response.writeHead(404).end();
	if (!route.endsWith('/speech')) return sendJson(response, { text: 'Hello' });
	response.writeHead(200, { 'content-type': 'audio/wav' });
	const chunk = Buffer.alloc(MEGABYTE);
	let remaining = LARGE / MEGABYTE;
	const hasMore = (): void => {
		while (remaining-- > 0) if (!response.write(chunk)) return void response.once('drain', hasMore);
		response.end();
	};
	return hasMore();
};

beforeAll(async () => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'large-files-'));
	await build({
		entryPoints: [path.join(process.cwd(), 'test/nodes/LocalLlama/large-files.child.ts')],
		outfile: path.join(folder, 'child.cjs'),
		bundle: true,
		platform: 'node',
		format: 'cjs',
		keepNames: true,
		external: ['n8n-workflow'],
		logLevel: 'error',
	});
	const file = fs.openSync(path.join(folder, 'long.wav'), 'w');
	fs.writeSync(file, 'RIFF\0\0\0\0WAVEfmt ');
	fs.ftruncateSync(file, LARGE);
	fs.closeSync(file);
	server = await startScripted(answer, { keepsBodies: false });
});

afterAll(async () => {
	await server.close();
	fs.rmSync(folder, { recursive: true, force: true });
});

interface Measured {
	/** Memory in bytes. */
	grownBytes: number;
	json: Record<string, unknown>;
}

/** Runs the node in a separate process until it has printed its result: how that process ends is not measured. */
const measure = async (operation: string): Promise<Measured> => {
	const args = [
		path.join(folder, 'child.cjs'),
		operation,
		server.url,
		path.join(folder, 'long.wav'),
		String(LARGE),
	];
	const env = {
		...process.env,
		NODE_PATH: path.join(process.cwd(), 'node_modules'),
		NODE_OPTIONS: '',
	};
	const child = childProcess.spawn(process.execPath, args, { env });
	let errors = '';
	child.stderr.on('data', (text: Buffer) => (errors += text));
	const result = new Promise<Measured>((resolve, reject) => {
		child.stdout.once('data', (line: Buffer) => resolve(JSON.parse(String(line)) as Measured));
		child.once('error', reject);
		child.once('close', (code) => reject(new Error(`It ended with ${code}: ${errors}`)));
	});
	try {
		return await result;
	} finally {
		child.kill('SIGKILL');
	}
};

test('a large recording is sent', async () => {
	const { grownBytes, json } = await measure('transcribe');
	expect(json).toEqual({ output: 'Hello' });
	expect(Math.max(...server.requests.map(({ byteLength }) => byteLength))).toBeGreaterThan(LARGE);
	expect(grownBytes).toBeLessThan(MAX_GROWTH);
});

test('large audio is stored', async () => {
	const { grownBytes, json } = await measure('speak');
	expect(json).toMatchObject({ output: { bytes: LARGE } });
	expect(fs.statSync(path.join(folder, 'long.wav.out')).size).toBe(LARGE);
	expect(grownBytes).toBeLessThan(MAX_GROWTH);
});
