/** How long Dify may take to store a file, with a fake clock. */
import { useClock } from '../../guarantees/support/fake-clock';
import { sendJson, useServers } from '../../support/servers/scripted-server';
import type * as http from 'node:http';
import { getItemError, executePrepared, prepareNode } from '../dify';
import { createBinaryItem } from './app';

const SECOND = 1_000;
const STORED = { id: '11111111-2222-4333-8444-555555555555', name: 'a.pdf' };

const start = useServers();
const clock = useClock();

/** Uploads a file to a Dify that responds on demand. @param pause between the chunks of the file */
async function upload(pause: () => Promise<void> = async () => {}) {
	let response: http.ServerResponse;
	const binary = createBinaryItem('a.pdf', 'application/pdf').binary.data;
	const server = await start({ 'POST /v1/files/upload': (_request, open) => (response = open) });
	const fake = prepareNode(
		'difyApp',
		{ url: `${server.url}/v1` },
		{
			parameters: { resource: 'file', operation: 'upload', binaryPropertyName: 'data' },
			items: [{ json: {}, binary: { data: { ...binary, id: 'filesystem-v2:1' } } }],
			stored: { 'filesystem-v2:1': new Uint8Array(4) },
			continueOnFail: true,
		},
	);
	const getBinaryStream = async function* () {
		for (let byte = 0; byte < 4; byte++) {
			yield Uint8Array.of(byte);
			await pause();
		}
	};
	Object.assign(fake.context.helpers, { getBinaryStream });
	const state = { isOver: false };
	const items = executePrepared('difyApp', fake).finally(() => (state.isOver = true));
	const early = items.then(([item]) => {
		throw new Error(`The upload ended before its file was sent: ${JSON.stringify(item!.json)}`);
	});
	const [request] = await Promise.race([server.arrived('/files/upload'), early]);
	return { items, state, request: request!, answer: () => sendJson(response, STORED, 201) };
}

test('a file that is stored in just under two minutes is uploaded', async () => {
	const { items, state, answer } = await upload();
	await clock.pass(118 * SECOND);
	expect(state.isOver).toBe(false);
	answer();
	const [item] = await items;
	expect(item!.json).toMatchObject({ uploadFileId: STORED.id });
});

test('two minutes without a response are a timeout', async () => {
	const { items, request } = await upload();
	await clock.pass(118 * SECOND);
	const [item] = await clock.passUntil(items);
	expect(getItemError(item!)).toMatchObject({
		type: 'runTimeout',
		message: 'Dify did not process "a.pdf" within 2 minutes',
		retryable: false,
	});
	await request.cut;
});

test('sending in chunks may take longer', async () => {
	const { items, state, answer } = await upload(async () => await clock.pass(100 * SECOND));
	await clock.pass(100 * SECOND);
	expect(state.isOver).toBe(false);
	answer();
	const [item] = await items;
	expect(item!.json).toMatchObject({ uploadFileId: STORED.id });
});
