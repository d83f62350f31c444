/**
 * Any request in the API of each server type: what is set arrives, under its name and nowhere else; Extra Body wins, also
 * inside of an object; the model can call what the choice of tools allows, and nothing else.
 */
import fc from 'fast-check';

import { GENERATION_OPTION_LIST } from '../../../../lib/chat/body/generation-options';
import { OLLAMA_OPTIONS } from '../../../../lib/chat/body/ollama-options';
import { toOllamaBody } from '../../../../lib/chat/body/ollama-body';
import { toOpenAiBody } from '../../../../lib/chat/body/openai-body';
import { supportsOption } from '../../../../lib/chat/body/sampling-fields';
import type { CompletionRequest } from '../../../../lib/chat/completion';
import type { SamplingSettings } from '../../../../lib/chat/settings';
import { SERVER_TYPES } from '../../../../lib/servers/types';
import type { ServerType } from '../../../../lib/servers/types/server-type';
import type { JsonRecord } from '../../../../lib/values/records';
import { toMessages, toTool } from '../../../support/texts/messages';

const TOOLS = ['look', 'store', 'send'].map((name) =>
	toTool({ name, schema: { type: 'object', properties: {} } }),
);
const names = TOOLS.map(({ name }) => name);

const toolChoice = fc.constantFrom<CompletionRequest['toolChoice']>(
	undefined,
	'auto',
	'required',
	'none',
	{ name: 'look' },
	{ name: 'send' },
);

/** Zero and false are values as any other. */
const VALUES = {
	number: [0, 1, 7],
	switch: [true, false],
	texts: [['END'], ['.', 'END']],
	name: ['30m', 0, '-1'],
} as const;

const options = fc.record(
	Object.fromEntries(
		GENERATION_OPTION_LIST.map(({ name, kind }) => [
			name,
			fc.constantFrom<unknown>(...VALUES[kind]),
		]),
	),
	{ requiredKeys: [] },
);

const thinking = fc.constantFrom<SamplingSettings['thinking']>(
	undefined,
	{ mode: 'serverDefault' },
	{ mode: 'on' },
	{ mode: 'off' },
	{ mode: 'effort', effort: 'low' },
	{ mode: 'budget', tokens: 64 },
);

const templateArguments = fc.record(
	{ enable_thinking: fc.boolean(), style: fc.constantFrom('short', 'long') },
	{ requiredKeys: [] },
);

const extraBody = fc.record(
	{
		temperature: fc.constantFrom(0, 3),
		top_k: fc.constantFrom(0, 33),
		my_field: fc.constantFrom<unknown>(0, false, { a: 1 }),
		chat_template_kwargs: templateArguments,
		reasoning_effort: fc.constantFrom('high', 'none'),
	},
	{ requiredKeys: [] },
);

const sampling = fc
	.record({ options, thinking, extraBody: fc.option(extraBody, { nil: undefined }) })
	.map(({ options: set, ...rest }): SamplingSettings => ({ ...set, ...rest }));

const request = fc.record<CompletionRequest>({
	model: fc.constant('m'),
	messages: fc.constant(toMessages([{ role: 'user', content: 'Hi' }])),
	tools: fc.subarray(TOOLS),
	toolChoice,
	sampling,
});

/** A choice names an offered tool, which is checked before. */
const isPossible = ({ tools, toolChoice: choice }: CompletionRequest): boolean =>
	typeof choice !== 'object' || tools.some(({ name }) => name === choice.name);

const namesIn = (tools: unknown): string[] =>
	((tools ?? []) as Array<{ function: { name: string } }>).map((tool) => tool.function.name);

/** The tools that the model can call, and whether it must call one. */
interface Callable {
	tools: string[];
	isForced: boolean;
}

/** What the choice allows. */
function selectExpected({ tools, toolChoice: choice }: CompletionRequest): Callable {
	const offered = names.filter((name) => tools.some((tool) => tool.name === name));
	if (choice === 'none' || offered.length === 0) return { tools: [], isForced: false };
	if (typeof choice === 'object') return { tools: [choice.name], isForced: true };
	return { tools: offered, isForced: choice === 'required' };
}

/** What a server makes of a body, by the table of server types. */
function readCallable(
	{ tools, tool_choice: choice }: JsonRecord,
	support: ServerType['toolChoiceSupport'],
): Callable {
	const offered = namesIn(tools);
	if (support === 'ignored') return { tools: offered, isForced: false };
	if (choice === 'none') return { tools: [], isForced: false };
	if (typeof choice !== 'object') return { tools: offered, isForced: choice === 'required' };
	// Only some servers follow an object. Others read it as "auto".
	if (support !== 'named') return { tools: offered, isForced: false };
	return { tools: [(choice as { function: { name: string } }).function.name], isForced: true };
}

const withoutForce = ({ tools }: Callable): Callable => ({ tools, isForced: false });

describe.each(Object.values(SERVER_TYPES))('OpenAI API of $name', (serverType) => {
	const { toolChoiceSupport: support } = serverType;

	test('the model can call what the choice allows', () => {
		fc.assert(
			fc.property(request.filter(isPossible), (given) => {
				const expected = selectExpected(given);
				expect(readCallable(toOpenAiBody(given, serverType), support)).toEqual(
					support === 'ignored' ? withoutForce(expected) : expected,
				);
			}),
		);
	});

	test('each option that is set and supported arrives, and no other', () => {
		fc.assert(
			fc.property(request, (given) => {
				const body = toOpenAiBody({ ...given, tools: TOOLS, toolChoice: 'auto' }, serverType);
				const { extraBody: extra = {}, ...set } = given.sampling;
				const expected = Object.fromEntries(
					GENERATION_OPTION_LIST.map(({ name, fieldName }) => {
						const isSent = supportsOption(serverType, name);
						return [serverType.fieldNames?.[name] ?? fieldName, isSent ? set[name] : undefined];
					}),
				);
				const received = Object.fromEntries(
					Object.keys(expected).map((name) => [name, body[name]]),
				);
				expect(received).toEqual({ ...expected, ...pick(extra, Object.keys(expected)) });
			}),
		);
	});

	test('Extra Body wins, also inside of the arguments of the template', () => {
		fc.assert(
			fc.property(request, (given) => {
				const { extraBody: extra = {} } = given.sampling;
				const body = toOpenAiBody(given, serverType);
				expect(body).toMatchObject(extra);
				const { chat_template_kwargs: own = {} } = toOpenAiBody(
					{ ...given, sampling: { ...given.sampling, extraBody: undefined } },
					serverType,
				);
				const { chat_template_kwargs: added = {} } = extra;
				expect(body.chat_template_kwargs ?? {}).toEqual({
					...(own as object),
					...(added as object),
				});
			}),
		);
	});
});

describe('the native API of Ollama', () => {
	test('the model can call what the choice allows', () => {
		fc.assert(
			fc.property(request.filter(isPossible), (given) => {
				expect({ tools: namesIn(toOllamaBody(given).tools), isForced: false }).toEqual(
					withoutForce(selectExpected(given)),
				);
			}),
		);
	});

	test('each option arrives inside of the options, and Extra Body wins', () => {
		fc.assert(
			fc.property(request, (given) => {
				const { extraBody: extra = {}, ...set } = given.sampling;
				const { options: sent = {}, ...outer } = toOllamaBody(given) as { options?: object };
				const expected = OLLAMA_OPTIONS.flatMap(({ name, native }) =>
					set[name] === undefined ? [] : [[native, set[name]] as const],
				);
				const { temperature, top_k: topK, ...rest } = extra;
				expect(sent).toEqual({
					...Object.fromEntries(expected),
					...(temperature !== undefined && { temperature }),
					...(topK !== undefined && { top_k: topK }),
				});
				expect(outer).toMatchObject(rest);
			}),
		);
	});
});

function pick(record: JsonRecord, fields: readonly string[]): JsonRecord {
	return Object.fromEntries(Object.entries(record).filter(([name]) => fields.includes(name)));
}
