import {
	type ICredentialDataDecryptedObject,
	type INodeProperties,
	type INodePropertyOptions,
	NodeHelpers,
} from 'n8n-workflow';

import { LocalLlamaApi } from '../../../credentials/LocalLlamaApi.credentials';
import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import { reply } from '../../simulators/llama-server';
import { useLocalLlama } from './run-node';

const { serve, prepare, executeIn, execute, getError } = useLocalLlama();
const CHAT = { resource: 'text', operation: 'chat' };
const prompts = (...texts: string[]) => ({
	items: texts.map((text) => ({ json: { text } })),
	perItem: texts.map((prompt) => ({ prompt })),
	parameters: CHAT,
});

test('every field is shown only for its resource and operation; options are sorted by label, common ones first', () => {
	const common = ['Temperature', 'Maximum Tokens', 'Top P', 'Context Size', 'Stop Sequences'];
	const getSortKey = (label: string) =>
		label.endsWith('Timeout (Seconds)') ? `Timeouts: ${label}` : label;
	const { properties } = new LocalLlama().description;
	for (const { name, displayOptions, options, type } of properties) {
		if (name === 'resource') continue;
		expect(displayOptions?.show?.resource).toHaveLength(1);
		if (name !== 'operation') expect(displayOptions?.show?.operation).toHaveLength(1);
		if (type !== 'collection') continue;
		const labels = (options as INodeProperties[]).map(({ displayName }) => displayName);
		const otherLabels = labels.filter((label) => !common.includes(label));
		otherLabels.sort((a, b) => getSortKey(a).localeCompare(getSortKey(b)));
		expect(labels).toEqual([...common.filter((label) => labels.includes(label)), ...otherLabels]);
		expect(new Set(labels).size).toBe(labels.length);
	}
});

test('the most used operations come first: n8n lists the actions in this order', () => {
	const { properties } = new LocalLlama().description;
	const getValues = (name: string, resource?: string) =>
		properties
			.filter(
				(field) =>
					field.name === name &&
					(resource === undefined || field.displayOptions?.show?.resource?.[0] === resource),
			)
			.flatMap(({ options }) => (options as INodePropertyOptions[]).map(({ value }) => value));
	expect(getValues('resource').slice(0, 3)).toEqual(['text', 'vector', 'image']);
	expect(getValues('operation', 'text')).toEqual(['chat', 'extract', 'classify', 'complete']);
	expect(getValues('operation', 'audio')).toEqual(['transcribe', 'speak']);
});

test('an operation that does not exist', async () => {
	await serve();
	expect((await getError({ resource: 'text', operation: 'sing' })).message).toContain(
		'no operation "sing"',
	);
	expect((await getError({ resource: 'opera' })).message).toContain('"Resource" must be one of');
});

/** How often the node reads a credential for three items. As in n8n, expressions are evaluated last. */
async function countReads(
	stored: ICredentialDataDecryptedObject,
	evaluated: ICredentialDataDecryptedObject,
): Promise<number> {
	const { url } = await serve({ apiKey: undefined });
	const data = { baseUrl: url, ...stored } as Parameters<typeof NodeHelpers.getNodeParameters>[1];
	const { properties } = new LocalLlamaApi();
	const displayed = NodeHelpers.getNodeParameters(properties, data, true, false, null, null);
	const { parameters, ...items } = prompts('a', 'b', 'c');
	const fake = prepare({
		...items,
		parameters: { ...parameters, options: { maxConcurrentItems: 1 } },
		credentials: { ...displayed, baseUrl: url, ...evaluated } as ICredentialDataDecryptedObject,
	});
	const read = jest.spyOn(fake.context, 'getCredentials');
	await executeIn(fake);
	return read.mock.calls.length;
}

test('a credential without an expression is read once, since reading it takes longer than a small request', async () => {
	expect(await countReads({}, {})).toBe(1);
	expect(await countReads({ authentication: 'basic', user: 'me', password: 'p' }, {})).toBe(1);
});

test.each<[string, ICredentialDataDecryptedObject, ICredentialDataDecryptedObject]>([
	['baseUrl', { baseUrl: '={{ $json.url }}' }, {}],
	['apiKey', { apiKey: '={{ $json.key }}' }, { apiKey: 'key-of-the-item' }],
	['authentication', { authentication: '={{ $json.kind }}' }, { authentication: 'bearer' }],
	['user', { authentication: 'basic', user: '={{ $json.user }}' }, { user: 'me' }],
	['password', { authentication: 'basic', password: '={{ $json.word }}' }, { password: 'p' }],
	['ignoreSslIssues', { ignoreSslIssues: '={{ $json.ignore }}' }, { ignoreSslIssues: false }],
	['maxConcurrentRequests', { maxConcurrentRequests: '={{ 2 }}' }, { maxConcurrentRequests: 2 }],
	['serverType', { serverType: '={{ "auto" }}' }, { serverType: 'auto' }],
	['a header', { extraHeaders: { header: [{ name: 'x-a', value: '={{ $json.a }}' }] } }, {}],
	['a header, without one', { extraHeaders: { header: [{ name: 'x-a', value: 'b' }] } }, {}],
])(
	'a credential with an expression in %s is read for each item',
	async (_field, stored, evaluated) => {
		expect(await countReads({ sameForEachItem: true, ...stored }, evaluated)).toBe(3);
	},
);

test('Stop ends all items immediately and frees the slots', async () => {
	const sim = await serve({ slots: 4 });
	const cancel = new AbortController();
	sim.script(reply.chunks(['a', { wait: 3_600_000 }]), reply.chunks(['b', { wait: 3_600_000 }]));
	const pending = execute({ ...prompts('a', 'b', 'c', 'd'), signal: cancel.signal }).catch(
		(error: unknown) => error,
	);
	await sim.until(() => sim.slots().filter(({ busy }) => busy).length === 2);
	cancel.abort();
	expect(await pending).toBeInstanceOf(Error);
	await sim.until(() => sim.slots().every(({ busy }) => !busy));
});

test('streams to a chat, one item after another; not as a tool, or if streaming is off', async () => {
	await serve();
	const chatText = prepare({ ...prompts('a', 'b'), streaming: true });
	await executeIn(chatText);
	expect(
		chatText.chunks
			.map(({ type, itemIndex }) => `${type}${itemIndex}`)
			.filter((a) => !/^item/.test(a)),
	).toEqual(['begin0', 'end0', 'begin1', 'end1']);
	expect(chatText.chunks.map(({ content }) => content ?? '').join('')).toBe(
		'You said: aYou said: b',
	);
	const isSilent = prepare({
		...prompts('a'),
		parameters: { ...CHAT, options: { enableStreaming: false } },
		streaming: true,
	});
	const tool = prepare({
		...prompts('a'),
		streaming: true,
		type: 'n8n-nodes-local-llama.localLlamaTool',
	});
	await Promise.all([executeIn(isSilent), executeIn(tool)]);
	expect([isSilent.chunks, tool.chunks]).toEqual([[], []]);
});
