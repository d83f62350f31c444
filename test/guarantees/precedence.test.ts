/**
 * Settings that set the same field of a request: Extra Body over an option over a default, in every operation that has
 * Extra Body, for each field of its request; and the order in which options were added means nothing.
 */
import type {
	ICredentialDataDecryptedObject,
	INodeProperties,
	INodePropertyOptions,
	INodeTypeDescription,
} from 'n8n-workflow';

import { LocalChatModel } from '../../nodes/LocalChatModel/LocalChatModel.node';
import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { everyOperation, withLowLimits } from '../support/n8n/every-operation';
import type { FilledNode } from '../support/n8n/every-operation';
import { executeContext } from '../support/n8n/execute-context';
import * as util from 'node:util';
import { LLAMA_SERVER, ollama } from './support/responses';
import { chatModel, model } from './support/node-runner';
import { json, startScripted } from '../support/servers/scripted-server';
import type { ScriptedRequest, ScriptedServer } from '../support/servers/scripted-server';

type Json = Record<string, unknown>;

/** Refused at once, so that an operation sends one request of its own. */
const REFUSED = json({ error: { message: 'Invalid API Key' } }, 401);
const SERVERS = { llamaServer: LLAMA_SERVER, ollama: ollama() } as const;
type ServerType = keyof typeof SERVERS;

const RECORDING = { data: 'UklGRg==', mimeType: 'audio/wav', fileName: 'hello.wav' };
const IMAGE = { data: 'iVBORw0KGgo=', mimeType: 'image/png', fileName: 'bike.png' };

let servers: Record<ServerType, ScriptedServer>;
beforeAll(async () => {
	const start = async (type: ServerType) =>
		await startScripted((request, response) => {
			const route = `${request.method} ${request.path.split('?')[0]}`;
			const answer = (SERVERS[type] as Record<string, typeof REFUSED>)[route] ?? REFUSED;
			return answer(request, response);
		});
	servers = { llamaServer: await start('llamaServer'), ollama: await start('ollama') };
});
afterAll(async () => {
	for (const server of Object.values(servers)) await server.close();
});

interface Operation extends FilledNode {
	/** The fields of its options. */
	fields: INodeProperties[];
	send(url: string, options: Json): Promise<unknown>;
}

/** The options that an operation shows. */
function optionFields({ properties }: INodeTypeDescription, { parameters, options }: FilledNode) {
	const isShown = ({ displayOptions }: INodeProperties) =>
		Object.entries(displayOptions?.show ?? {}).every(
			([name, values]) => values?.includes(parameters[name] as never) ?? true,
		);
	const collection = properties.find(
		(one) =>
			one.name === 'options' && isShown(one) && (one.options ?? []).length === options.length,
	);
	return (collection?.options ?? []) as INodeProperties[];
}

function localLlama(filled: FilledNode): Operation {
	const node = new LocalLlama();
	const parameters = { ...withLowLimits(filled).parameters, model: model('sim-model') };
	return {
		...filled,
		fields: optionFields(node.description, filled),
		send: async (url, options) => {
			const { context } = executeContext({
				type: filled.type,
				items: [
					{ json: {}, binary: { data: / image edit$/.test(filled.name) ? IMAGE : RECORDING } },
				],
				credentials: credential(url),
				parameters: { ...parameters, options: { maxRetries: 0, ...options } },
			});
			return await node.execute.call(context);
		},
	};
}

const credential = (baseUrl: string): ICredentialDataDecryptedObject => ({
	baseUrl,
	apiKey: 'open-sesame-4711',
	authentication: 'bearer',
});

function localChatModel(filled: FilledNode): Operation {
	return {
		...filled,
		fields: optionFields(new LocalChatModel().description, filled),
		send: async (url, options) => {
			const parameters = { ...filled.parameters, model: model('sim-model') };
			const { supplied } = await chatModel(url, {
				parameters: { ...parameters, options: { maxRetries: 0, ...options } },
			});
			return await supplied.invoke('Hi');
		},
	};
}

const operations = [
	...everyOperation(new LocalLlama().description).map(localLlama),
	...everyOperation(new LocalChatModel().description).map(localChatModel),
].filter(({ options }) => options.includes('extraBody'));

/** The fields of a form, without its file. */
const formFields = (text: string): Json =>
	Object.fromEntries(
		[...text.matchAll(/; name="([^"]+)"\r\n\r\n([^\r]*)\r\n/g)].map(([, name, value]) => [
			name!,
			value,
		]),
	);

function fieldsOf({ text, body, headers }: ScriptedRequest): Json {
	return headers['content-type']?.startsWith('multipart') === true ? formFields(text) : body;
}

interface Request {
	fields: Json;
}

/** The request of an operation; undefined if the options are not valid. */
async function sent(
	operation: Operation,
	type: ServerType,
	options: Json,
): Promise<Request | undefined> {
	const server = servers[type];
	const before = server.requests.length;
	await operation.send(server.url, options).catch(() => undefined);
	const own = server.requests
		.slice(before)
		.find(({ method, path }) => method === 'POST' && path !== '/api/show');
	return own && { fields: fieldsOf(own) };
}

/** A valid value of an option that is not its default. */
function valueFor({ type, name, default: initial, typeOptions, options = [] }: INodeProperties) {
	switch (type) {
		case 'number': {
			const { maxValue = Infinity } = typeOptions ?? {};
			const next = Number(initial) + (maxValue <= 2 ? 0.25 : 1);
			return next <= maxValue ? next : Number(initial) - 0.25;
		}
		case 'boolean':
			return initial !== true;
		case 'options':
			return (options as INodePropertyOptions[]).find(({ value }) => value !== initial)?.value;
		case 'json':
			return name === 'jsonSchema' ? '{"type":"object"}' : undefined;
		case 'string':
			if (name === 'keepAlive') return '7m';
			if (name === 'size') return '64x64';
			return typeOptions?.multipleValues === true ? ['one'] : 'other';
		default:
			return undefined;
	}
}

/** Another value of the same kind. */
function otherThan(value: unknown): unknown {
	if (typeof value === 'number') return value + 3;
	if (typeof value === 'boolean') return !value;
	if (Array.isArray(value)) return ['extra'];
	return typeof value === 'object' ? { extra: 1 } : 'extra';
}

/** Fields of a request; those of Ollama's `options` by themselves. */
function flatten({ options, ...fields }: Json): Json {
	return { ...fields, ...(options as Json | undefined) };
}

const cases = operations.flatMap((operation) =>
	(['llamaServer', 'ollama'] as const).map((type) => ({ name: operation.name, type, operation })),
);

/** The fields of a request whose field has another value in Extra Body. */
function withExtraField(fields: Json, field: string, extra: unknown): Json {
	const all = { ...fields, [field]: extra };
	// Arguments of the template are merged: the switch for thinking is one of them.
	if (field === 'chat_template_kwargs')
		all[field] = { ...(fields[field] as Json), ...(extra as Json) };
	return all;
}

/** Fields that depend on another one: a response that is not streamed has no options of the stream. */
const DEPENDENT: Readonly<Record<string, string>> = { stream: 'stream_options' };

/** Its only option that is sent is Extra Body. */
const WITHOUT_SENT_OPTIONS = ['Local Llama text decide'];

interface Case {
	/** Undefined: no option, so the fields are defaults. */
	option: string | undefined;
	options: Json;
	fields: Json;
	/** Fields that the option sets. */
	changed: string[];
	/** Ollama's own API has this field in its `options`. */
	isInOptions(field: string): boolean;
}

describe.each(cases)('the options of $name for the server type $type', ({ operation, type }) => {
	/** The request without options, and with each option that changes it. */
	async function requests(): Promise<Case[]> {
		const toCase = async (option: string | undefined, value: unknown, before: Json) => {
			const options: Json = option === undefined ? {} : { [option]: value };
			const request = await sent(operation, type, options);
			const fields = flatten(request?.fields ?? {});
			const changed = Object.keys(fields).filter(
				(key) => !util.isDeepStrictEqual(fields[key], before[key]),
			);
			const inner = (request?.fields.options ?? {}) as Json;
			return { option, options, fields, changed, isInOptions: (field: string) => field in inner };
		};
		const base = await toCase(undefined, undefined, {});
		const all = [base];
		for (const field of operation.fields) {
			const value = valueFor(field);
			if (value !== undefined) all.push(await toCase(field.name, value, base.fields));
		}
		return all.filter(({ changed }) => changed.length > 0);
	}

	test('Extra Body over options over defaults', async () => {
		const all = await requests();
		expect(all.length > 1).toBe(!WITHOUT_SENT_OPTIONS.includes(operation.name));
		const wrong: string[] = [];
		for (const { option = 'no option', options, fields, changed, isInOptions } of all)
			for (const field of changed) {
				const extra = otherThan(fields[field]);
				const expected = withExtraField(fields, field, extra);
				const bodies = [
					{ [field]: extra },
					...(isInOptions(field) ? [{ options: { [field]: extra } }] : []),
				];
				for (const extraBody of bodies) {
					const request = await sent(operation, type, { ...options, extraBody });
					const received = flatten(request?.fields ?? {});
					for (const key of Object.keys({ ...expected, ...received }))
						if (key !== DEPENDENT[field] && !util.isDeepStrictEqual(received[key], expected[key]))
							wrong.push(
								`With ${option} and Extra Body ${JSON.stringify(extraBody)}, ${key} is ${JSON.stringify(received[key])} instead of ${JSON.stringify(expected[key])}`,
							);
				}
			}
		expect(wrong).toEqual([]);
	});

	test('options in any order make the same request', async () => {
		const options = Object.assign({}, ...(await requests()).map((each) => each.options)) as Json;
		const reversed = Object.fromEntries(Object.entries(options).reverse());
		const toJson = async (given: Json) =>
			JSON.stringify((await sent(operation, type, given))?.fields);
		expect(await toJson(reversed)).toBe(await toJson(options));
	});
});
