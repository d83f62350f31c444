import { asRecords, isRecord } from '../../../lib/values/records';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import {
	AIMessage,
	HumanMessage,
	SystemMessage,
	ToolMessage,
} from '../../guarantees/support/agent-turns';
import { chosenModel, itemsOfLocalLlama, LIMITS, suppliedBy } from './node-runner';
import type { Played } from './node-runner';
import { pathOf } from './exchange';
import type { Json } from './exchange';
import { modelOf } from './server-identities';
import { filled } from './result';

interface Chunk {
	content: unknown;
	tool_calls?: Array<{ id?: string; name: string; args: unknown }>;
	invalid_tool_calls?: Array<{ id?: string; name?: string; args?: unknown }>;
	additional_kwargs: Json;
	response_metadata: Json;
	usage_metadata?: Json;
	concat(other: Chunk): Chunk;
}

interface Model {
	invoke(messages: unknown[]): Promise<Chunk>;
	stream(messages: unknown[]): Promise<AsyncIterable<Chunk>>;
	bindTools(tools: unknown[]): Model;
}

/** The chat model as an agent uses it: its response, log and hints. */
export async function chatModelResult(played: Played): Promise<Json> {
	const { request } = played.exchange;
	const { supplied, fake } = await suppliedBy<Model>(
		new LocalChatModel(),
		played,
		parametersFor(played),
	);
	const tools = asRecords(request.body.tools).filter(isFunction);
	const model = tools.length > 0 ? supplied.bindTools(tools) : supplied;
	const messages = messagesOf(request.body.messages);
	const answer = isStreamed(played)
		? await streamed(model, messages)
		: await model.invoke(messages);
	return filled({
		...contentOf(answer),
		usage: answer.usage_metadata && withoutEmptyDetails(answer.usage_metadata),
		finish: answer.response_metadata.finish_reason,
		model: answer.response_metadata.model_name,
		notes: collectWarnings(fake.outputs),
		hints: fake.hints.map(({ message }) => message),
	});
}

/** LangChain adds empty details when it joins chunks. */
function withoutEmptyDetails(usage: Json): Json {
	return Object.fromEntries(
		Object.entries(usage).filter(([, value]) => !isRecord(value) || Object.keys(value).length > 0),
	);
}

function contentOf({ content, additional_kwargs: more, ...calls }: Chunk): Json {
	const { tool_calls: whole = [], invalid_tool_calls: broken = [] } = calls;
	return {
		text: content,
		thinking: more.reasoning_content,
		calls: whole.map(({ id, name, args }) => ({ name, args, hasId: Boolean(id) })),
		brokenCalls: broken.map(({ id, name, args }) => ({ name, args, hasId: Boolean(id) })),
	};
}

async function streamed(model: Model, messages: unknown[]): Promise<Chunk> {
	let answer: Chunk | undefined;
	for await (const chunk of await model.stream(messages))
		answer = answer === undefined ? chunk : answer.concat(chunk);
	if (answer === undefined) throw new Error('The stream was empty');
	return answer;
}

/** Local Llama, Text: Chat, streaming into the chat if the response was streamed. */
export async function textChatResult(played: Played): Promise<Json> {
	const { messages } = played.exchange.request.body;
	const { model, options, ...answerOptions } = parametersFor(played);
	return await itemsOfLocalLlama(
		played,
		{
			model,
			resource: 'text',
			operation: 'chat',
			options: {
				...(options as Json),
				...answerOptions,
				messagesJson: JSON.stringify(areValid(messages) ? messages : [QUESTION]),
				simplify: false,
			},
		},
		{ streaming: isStreamed(played) },
	);
}

/** Ollama streams by default. */
function isStreamed({ exchange }: Played): boolean {
	const { stream } = exchange.request.body;
	return stream === true || (stream === undefined && pathOf(exchange.request) === '/api/chat');
}

/** The parameters that produce the recorded request. */
function parametersFor({ exchange }: Played): Json {
	const { request } = exchange;
	const { max_tokens: maxTokens, options = {} } = request.body;
	const limit = maxTokens ?? (isRecord(options) ? options.num_predict : undefined);
	// Ollama's native endpoint is used for options that the other one ignores.
	const native = pathOf(request) === '/api/chat' ? { contextSize: 2048 } : {};
	const isLimit = typeof limit === 'number' && limit > 0;
	return {
		model: chosenModel(modelOf(exchange)),
		thinking: thinkingOf(request.body),
		...formatOf(request.body),
		options: { ...LIMITS, ...native, ...(isLimit ? { maxTokens: limit } : {}) },
	};
}

function thinkingOf({ think, reasoning_effort: effort, chat_template_kwargs: template }: Json) {
	const isOn = isRecord(template) ? template.enable_thinking : think;
	if (isOn === true) return 'on';
	return isOn === false || effort === 'none' ? 'off' : 'serverDefault';
}

function formatOf({ response_format: format, format: ofOllama }: Json): Json {
	const wrapped =
		isRecord(format) && isRecord(format.json_schema) ? format.json_schema.schema : format;
	const schema =
		isRecord(wrapped) && !('type' in wrapped && wrapped === format) ? wrapped : ofOllama;
	if (isRecord(schema) && Object.keys(schema).length > 0 && 'type' in schema)
		return { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(schema) };
	return { responseFormat: ofOllama === 'json' ? 'jsonObject' : 'text' };
}

const QUESTION = { role: 'user', content: 'Hi' };

/** Conversations that no agent sends, recorded for their rejection, become one message. */
function messagesOf(messages: unknown): unknown[] {
	if (!areValid(messages)) return [new HumanMessage({ content: 'Hi' })];
	return asRecords(messages).map(messageOf);
}

function messageOf({ role, content = '', tool_calls: calls, tool_call_id: id }: Json): unknown {
	switch (role) {
		case 'system':
			return new SystemMessage({ content });
		case 'assistant':
			return new AIMessage({ content: content ?? '', tool_calls: asRecords(calls).map(callOf) });
		case 'tool':
			return new ToolMessage({ content, tool_call_id: id ?? 'a' });
		default:
			return new HumanMessage({ content });
	}
}

function callOf({ id = 'a', function: called }: Json) {
	const { name, arguments: args } = called as Json;
	return { id, name, args: typeof args === 'string' ? (JSON.parse(args) as unknown) : args };
}

const ROLES = ['system', 'user', 'assistant', 'tool'];

function areValid(messages: unknown): messages is Json[] {
	if (!Array.isArray(messages) || messages.length === 0) return false;
	const last = asRecords(messages).at(-1)?.role;
	return (
		(last === 'user' || last === 'tool') &&
		asRecords(messages).length === messages.length &&
		asRecords(messages).every(isValid)
	);
}

function isValid({ role, content, tool_calls: calls }: Json): boolean {
	const hasContent = typeof content === 'string' || asRecords(content).every(isPart);
	return ROLES.includes(String(role)) && hasContent && asRecords(calls).every(hasArguments);
}

function isPart({ type }: Json): boolean {
	return type === 'text' || type === 'image_url' || type === 'input_audio';
}

/** Whether the arguments are an object, as n8n's agent keeps them. */
function hasArguments({ function: called }: Json): boolean {
	if (!isRecord(called)) return false;
	const { arguments: args } = called;
	return isRecord(args) || (typeof args === 'string' && /^\{.*\}$/s.test(args));
}

function isFunction({ type, function: called }: Json): boolean {
	return type === 'function' && isRecord(called) && typeof called.name === 'string';
}

/** All warnings in a model's execution log. */
function collectWarnings(value: unknown): unknown[] {
	if (Array.isArray(value)) return value.flatMap(collectWarnings);
	if (!isRecord(value)) return [];
	const { warnings, ...others } = value;
	return [
		...(Array.isArray(warnings) ? warnings : []),
		...Object.values(others).flatMap(collectWarnings),
	];
}
