import type { RecordedCase, RecordedPart } from '../../../support/dify-recordings';
import type { DifyAppMode } from '../../../../lib/dify/types';
import { http } from '../../../support/node';
import { appKey, type DifySim } from '../../dify';
import type { SimApp } from '../types';
import { eventsOf, type Answer } from './compare';
import type { Prepared } from './setup';

const BOUNDARY = 'recorded-form-boundary';

function partOf({ name, value, filename, type, size }: RecordedPart): Buffer {
	const file = filename === undefined ? '' : `; filename="${filename}"`;
	const mime = type === undefined ? '' : `\r\nContent-Type: ${type}`;
	const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}${mime}\r\n\r\n`;
	const content = filename === undefined ? Buffer.from(value ?? '') : Buffer.alloc(size ?? 0, 'x');
	return Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n')]);
}

function bodyOf(recorded: RecordedCase): { type?: string; bytes: Buffer } {
	const { form, body, text, contentType } = recorded;
	if (form !== undefined) {
		const bytes = Buffer.concat([...form.map(partOf), Buffer.from(`--${BOUNDARY}--\r\n`)]);
		return { type: `multipart/form-data; boundary=${BOUNDARY}`, bytes };
	}
	const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
	if (content === undefined) return { type: contentType, bytes: Buffer.alloc(0) };
	return { type: contentType ?? 'application/json', bytes: Buffer.from(content) };
}

/** How many events are read before the client stops the run, or disconnects. */
interface Reading {
	stopAfter?: number;
	leaveAfter?: number;
}

/** Sends the recorded request to the simulator and returns the whole answer. */
export async function send(
	prepared: Prepared,
	recorded: RecordedCase,
	leaveAfter?: number,
): Promise<Answer> {
	const { sim, stopAfter } = prepared;
	const { type, bytes } = bodyOf(recorded);
	const headers: Record<string, string> = {};
	const authorization = recorded.authorization ?? `Bearer ${appKey(recorded.app)}`;
	if (authorization !== '')
		headers.Authorization = authorization.replace('app-XXXX', appKey(recorded.app));
	if (type !== undefined) headers['Content-Type'] = type;
	const fixed = authorization.includes('dataset-XXXX') ? sim.store.options.datasetKey : undefined;
	if (fixed !== undefined) headers.Authorization = authorization.replace('dataset-XXXX', fixed);
	const options = { method: recorded.method, headers, path: recorded.url };
	return await exchange(sim.origin, options, bytes, { stopAfter, leaveAfter }, async () => {
		const [run] = sim.runs;
		if (run !== undefined)
			await stopRun(sim.origin, recorded.app, run.taskId, headers, String(recorded.body?.user));
	});
}

/** A POST request before the recorded one. */
export async function post(
	sim: DifySim,
	app: SimApp,
	path: string,
	body: unknown,
): Promise<Answer> {
	const headers = { Authorization: `Bearer ${app.key}`, 'Content-Type': 'application/json' };
	const bytes = Buffer.from(JSON.stringify(body));
	return await exchange(sim.origin, { method: 'POST', headers, path }, bytes, {}, async () => {});
}

async function stopRun(
	origin: string,
	mode: DifyAppMode,
	taskId: string,
	headers: Record<string, string>,
	user: string,
): Promise<void> {
	const route = mode === 'workflow' ? '/v1/workflows/tasks' : '/v1/chat-messages';
	const options = { method: 'POST', headers, path: `${route}/${taskId}/stop` };
	await exchange(origin, options, Buffer.from(JSON.stringify({ user })), {}, async () => {});
}

async function exchange(
	origin: string,
	options: { method: string; path: string; headers: Record<string, string> },
	bytes: Buffer,
	{ stopAfter, leaveAfter }: Reading,
	stop: () => Promise<void>,
): Promise<Answer> {
	const length = bytes.length > 0 ? { 'Content-Length': bytes.length } : {};
	return await new Promise((resolve, reject) => {
		const request = http.request(
			origin,
			{ ...options, agent: false, headers: { ...options.headers, ...length } },
			(res) => {
				const chunks: Buffer[] = [];
				let stopped = false;
				const answer = (): Answer => ({
					status: res.statusCode ?? 0,
					headers: Object.entries(res.headers).map(([name, value]) => [name, String(value)]),
					body: Buffer.concat(chunks),
				});
				res.on('data', (chunk: Buffer) => {
					chunks.push(chunk);
					if (stopAfter === undefined && leaveAfter === undefined) return;
					const seen = eventsOf(
						Buffer.concat(chunks).subarray(0, Buffer.concat(chunks).lastIndexOf('\n\n') + 2),
					).length;
					if (stopAfter !== undefined && seen >= stopAfter && !stopped) {
						stopped = true;
						void stop().catch(reject);
					}
					if (leaveAfter !== undefined && seen >= leaveAfter) {
						resolve(answer());
						request.destroy();
					}
				});
				res.on('end', () => resolve(answer()));
				res.on('error', reject);
			},
		);
		request.on('error', reject);
		request.end(bytes);
	});
}
