/**
 * Runs the node in a separate process, to measure its memory: `node large-files.child.cjs <operation> <url> <file>
 * <bytes>`. It prints the growth of the memory, and the result.
 */
import type { IExecuteFunctions } from 'n8n-workflow';

import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import * as fs from 'node:fs';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';

const [, , operation = '', url = '', file = '', bytes = '0'] = process.argv;

const context = (size: number): IExecuteFunctions =>
	({
		getInputData: () => [{ json: {} }],
		getNodeParameter: (name: string, _item: number, defaultValue: unknown) =>
			({ resource: 'audio', operation, model: '', text: 'Hello', binaryPropertyName: 'data' })[
				name
			] ?? defaultValue,
		getExecutionId: () => '1',
		getCredentials: async () => ({ baseUrl: url }),
		getNode: () => ({
			id: '1',
			name: 'Local Llama',
			type: 'localLlama',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		}),
		continueOnFail: () => false,
		getExecutionCancelSignal: () => undefined,
		getMode: () => 'manual',
		isStreaming: () => false,
		addExecutionHints: () => {},
		helpers: {
			assertBinaryData: () => ({
				data: 'filesystem-v2',
				id: 'store:1',
				mimeType: 'audio/wav',
				fileName: 'long.wav',
			}),
			getBinaryMetadata: async () => ({ fileSize: size }),
			getBinaryStream: async (_id: string, chunk: number) =>
				fs.createReadStream(file, { highWaterMark: chunk, end: size - 1 }),
			// Like n8n's file storage.
			prepareBinaryData: async (
				data: AsyncIterable<Uint8Array>,
				fileName: string,
				mimeType: string,
			) => {
				await fs.promises.writeFile(`${file}.out`, data);
				return { data: 'filesystem-v2', fileName, mimeType };
			},
		},
	}) as unknown as IExecuteFunctions;

async function runMeasured(): Promise<void> {
	// Warm-up: loads code and buffers that every request needs.
	await new LocalLlama().execute.call(context(1024 * 1024));
	const bytesBefore = process.memoryUsage.rss();
	let maxBytes = bytesBefore;
	const timer = setInterval(() => (maxBytes = Math.max(maxBytes, process.memoryUsage.rss())), 5);
	const [items] = await new LocalLlama().execute.call(context(Number(bytes)));
	clearInterval(timer);
	process.stdout.write(
		JSON.stringify({ grownBytes: maxBytes - bytesBefore, json: items![0]!.json }),
	);
}

void runMeasured();
