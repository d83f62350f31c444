/**
 * The body of a request for each option, thinking, format and choice of tools at each server type: what a setting adds to the
 * body or changes in it, and what the user is told.
 */
import path from 'node:path';
import {
	buildCompletionRequest,
	cleanResponseFormat,
} from '../../../../lib/chat/body/completion-request';
import { GENERATION_OPTION_LIST } from '../../../../lib/chat/body/generation-options';
import { needsNativeApi } from '../../../../lib/chat/body/native-api';
import { toOllamaBody } from '../../../../lib/chat/body/ollama-body';
import { toOpenAiBody } from '../../../../lib/chat/body/openai-body';
import type { ChatRequest } from '../../../../lib/chat/chat-request';
import { DisplayedText } from '../../../../lib/chat/read/displayed-text';
import type { SamplingSettings } from '../../../../lib/chat/settings';
import { createToolNames } from '../../../../lib/chat/tools/tool-names';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { SERVER_TYPES } from '../../../../lib/servers/types';
import type { ServerType } from '../../../../lib/servers/types/server-type';
import type { JsonRecord } from '../../../../lib/values/records';
import { expectApproved, joinPlaces } from '../../../support/approved/approved-table';
import { PLAIN_SETTINGS } from '../chat-settings';
import { describeError } from '../../../support/approved/outcome';
import { toMessages, toTool } from '../../../support/texts/messages';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

interface Setting {
	name: string;
	sampling?: SamplingSettings;
	chatRequest?: Partial<ChatRequest>;
}

const SCHEMA = { type: 'object', properties: { a: { type: ['string', 'null'] } }, required: ['a'] };

/** llama.cpp makes no grammar of a look-ahead. */
const SCHEMA_WITH_PATTERN = {
	type: 'object',
	properties: { a: { type: 'string', pattern: '^(?=x).*$' } },
};

const TOOLS = [
	toTool({ name: 'look up', description: 'Finds a text', schema: {} }),
	toTool({ name: 'store', schema: { properties: { a: { pattern: '^b' } } } }),
];

const VALUES = { number: [0], switch: [true, false], texts: [['END']], name: ['30m', -1] };

const OPTIONS: readonly Setting[] = GENERATION_OPTION_LIST.flatMap(({ name, kind }) =>
	VALUES[kind].map((value) => ({
		name: `${name} ${JSON.stringify(value)}`,
		sampling: { [name]: value },
	})),
);

const SETTINGS: readonly Setting[] = [
	...OPTIONS,
	{ name: 'maxTokens -1', sampling: { maxTokens: -1 } },
	{ name: 'thinking serverDefault', sampling: { thinking: { mode: 'serverDefault' } } },
	{ name: 'thinking on', sampling: { thinking: { mode: 'on' } } },
	{ name: 'thinking off', sampling: { thinking: { mode: 'off' } } },
	...(['none', 'minimal', 'low', 'xhigh', 'max'] as const).map((effort) => ({
		name: `thinking effort ${effort}`,
		sampling: { thinking: { mode: 'effort', effort } as const },
	})),
	{ name: 'thinking budget', sampling: { thinking: { mode: 'budget', tokens: 64 } } },
	{ name: 'format text', sampling: { responseFormat: { type: 'text' } } },
	{ name: 'format object', sampling: { responseFormat: { type: 'jsonObject' } } },
	{ name: 'format schema', sampling: { responseFormat: { type: 'jsonSchema', schema: SCHEMA } } },
	{
		name: 'format named schema with a pattern',
		sampling: {
			responseFormat: { type: 'jsonSchema', name: 'form', schema: SCHEMA_WITH_PATTERN },
		},
	},
	{
		name: 'format grammar',
		sampling: { responseFormat: { type: 'grammar', grammar: 'root ::= "a"' } },
	},
	{
		name: 'format object with tools',
		sampling: { responseFormat: { type: 'jsonObject' } },
		chatRequest: { tools: TOOLS },
	},
	{
		name: 'extra body',
		sampling: { topK: 1, extraBody: { top_k: 2, temperature: 0, other: 'x' } },
	},
	{
		name: 'extra options',
		sampling: {
			topK: 1,
			extraBody: { options: { top_k: 2, num_ctx: 3, keep_alive: '1m', n_predict: 4 } },
		},
	},
	{ name: 'extra stream', sampling: { extraBody: { stream: false } } },
	{
		name: 'extra template arguments beside thinking',
		sampling: { thinking: { mode: 'off' }, extraBody: { chat_template_kwargs: { other: 1 } } },
	},
	{ name: 'tools', chatRequest: { tools: TOOLS } },
	{
		name: 'tools, not parallel',
		sampling: { parallelToolCalls: false },
		chatRequest: { tools: TOOLS },
	},
	...(['auto', 'none', 'required', { name: 'look up' }, { name: 'missing' }] as const).map(
		(toolChoice) => ({
			name: `tool choice ${JSON.stringify(toolChoice)}`,
			chatRequest: { tools: TOOLS, toolChoice },
		}),
	),
	{ name: 'tool choice "required" without tools', chatRequest: { toolChoice: 'required' } },
];

const MESSAGES = toMessages([{ role: 'user', content: 'Hi' }]);

/** Each request has a server of its own, since one remembers the context size. */
let count = 0;

const buildBody = (serverType: ServerType, { sampling = {}, chatRequest }: Setting) => {
	const { draft, warnings } = buildCompletionRequest(
		{
			server: createModelServer({ baseUrl: `http://server/${String(count++)}` }, NO_EXECUTION),
			serverType,
			settings: { ...PLAIN_SETTINGS, sampling },
			chatRequest: { messages: [], ...chatRequest },
			toolNames: createToolNames(TOOLS),
			quotableTexts: [],
			display: new DisplayedText(false, () => {}),
			cutCalls: [],
			startedAt: 0,
		},
		MESSAGES,
	);
	const isNative = serverType.name === 'ollama' && needsNativeApi(sampling);
	return {
		body: isNative ? toOllamaBody(draft) : toOpenAiBody(draft, serverType),
		isNative,
		warnings,
	};
};

/** What differs from the body without any setting, in the order in which it is sent. */
const toDifference = (body: JsonRecord, plain: JsonRecord) => {
	const added = Object.entries(body).filter(
		([name, value]) => JSON.stringify(value) !== JSON.stringify(plain[name]),
	);
	const missing = Object.keys(plain).filter((name) => !(name in body));
	return { ...Object.fromEntries(added), ...(missing.length > 0 && { missing }) };
};

const describeSetting = (serverType: ServerType, setting: Setting): unknown => {
	const plain = buildBody(serverType, { name: 'none' }).body;
	try {
		const { body, isNative, warnings } = buildBody(serverType, setting);
		return {
			...(isNative && { native: true }),
			...toDifference(body, plain),
			...(warnings.length > 0 && {
				warnings: warnings.map((text) => text.replace(serverType.label, 'LABEL')),
			}),
		};
	} catch (error) {
		return describeError(error);
	}
};

test('each setting has its own effect on the body at each server type', () => {
	const outcomes = SETTINGS.flatMap((setting) =>
		Object.values(SERVER_TYPES).map((serverType) => ({
			subject: setting.name,
			place: serverType.name,
			outcome: describeSetting(serverType, setting),
		})),
	);
	expectApproved(
		path.join(__dirname, 'completion-request.approved.txt'),
		joinPlaces(outcomes),
		'A setting changes its own part of a body, and is told where the server cannot have it',
	);
});

test('a schema is cleaned alike, whether somebody is told or not', () => {
	const sampling: SamplingSettings = {
		responseFormat: { type: 'jsonSchema', name: 'form', schema: SCHEMA_WITH_PATTERN },
	};
	for (const serverType of Object.values(SERVER_TYPES)) {
		const warnings: string[] = [];
		const cleaned = cleanResponseFormat(sampling, serverType, warnings);
		expect(cleanResponseFormat(sampling, serverType)).toEqual(cleaned);
		expect({ name: serverType.name, told: warnings.length }).toEqual({
			name: serverType.name,
			told: serverType.compilesSchemas === undefined ? 0 : 1,
		});
	}
});
