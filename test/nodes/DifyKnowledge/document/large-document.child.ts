/**
 * Sends a document in a separate process, to measure its memory: `node large-document.child.cjs <url> <key>
 * <knowledge base> <file> <bytes>`. It prints the growth of the memory, and the result.
 */
import type { IExecuteFunctions } from 'n8n-workflow';

import { DifyKnowledge } from '../../../../nodes/DifyKnowledge/DifyKnowledge.node';
import * as fs from 'node:fs';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';

const [, , url = '', key = '', datasetId = '', file = '', bytes = '0'] = process.argv;

const context = (size: number): IExecuteFunctions =>
	({
		getInputData: () => [{ json: {} }],
		getNodeParameter: (name: string, _item: number, fallback: unknown) =>
			({
				resource: 'document',
				operation: 'upsertFile',
				difyDatasetId: datasetId,
				binaryPropertyName: 'data',
				options: { wait: 10 },
			})[name] ?? fallback,
		getCredentials: async () => ({ baseUrl: url, apiKey: key, keyType: 'knowledge' }),
		getNode: () => ({
			id: '1',
			name: 'Dify',
			type: 'difyKnowledge',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		}),
		continueOnFail: () => false,
		getExecutionCancelSignal: () => undefined,
		getMode: () => 'manual',
		addExecutionHints: () => {},
		helpers: {
			assertBinaryData: () => ({
				data: 'filesystem-v2',
				id: 'store:1',
				mimeType: 'text/plain',
				fileName: 'long.txt',
			}),
			getBinaryMetadata: async () => ({ fileSize: size }),
			getBinaryStream: async (_id: string, chunkSize: number) =>
				fs.createReadStream(file, { highWaterMark: chunkSize, end: size - 1 }),
		},
	}) as unknown as IExecuteFunctions;

async function measureGrowth(): Promise<void> {
	// Warm-up: loads code and buffers that every request needs. Node collects buffers only from 64 MB on, for any file
	// size.
	await new DifyKnowledge().execute.call(context(64 * 1024 * 1024));
	const before = process.memoryUsage.rss();
	let maxBytes = before;
	const timer = setInterval(() => (maxBytes = Math.max(maxBytes, process.memoryUsage.rss())), 5);
	const [items] = await new DifyKnowledge().execute.call(context(Number(bytes)));
	clearInterval(timer);
	process.stdout.write(JSON.stringify({ grew: maxBytes - before, json: items![0]!.json }));
	process.exit(0);
}

void measureGrowth();
