import {
	DifyHttpError,
	invalid,
	isoTime,
	isUuid,
	missing,
	notFound,
	pydantic,
	pythonRepr,
} from './http';
import { needChat } from './runs';
import type { Call } from './store';
import type { Json, SimConversation, SimFeedback, SimMessage, SimVariable } from './types';

/** Appends similar routes to 404 texts, as the framework does on some routes (docs/protocols/dify.md 6.3). */
export function withSuffix(error: DifyHttpError, path: string): DifyHttpError {
	const others: Record<string, string> = {
		'/chat-messages':
			'/v1/chat-messages or /api/chat-messages or /v1/chat-messages/<string:task_id>/stop',
		'/messages': '/v1/messages or /v1/chat-messages or /api/messages',
		'/conversations':
			'/v1/conversations or /v1/conversations/<uuid:c_id>/variables/<uuid:variable_id> or /api/conversations',
	};
	const form = path.startsWith('/form/human_input/')
		? '/v1/form/human_input/<string:form_token>'
		: undefined;
	const other = others[path] ?? form;
	if (error.status !== 404 || other === undefined) return error;
	const text = `${error.message.replace(/\.$/, '')}. You have requested this URI [/v1${path}] but did you mean ${other} ?`;
	return new DifyHttpError(404, error.code, text);
}

interface Paging {
	model: string;
	most: number;
	usual?: number;
}

/** Out of range is refused, not clamped (docs/protocols/dify.md 2.8). */
export function limitOf(
	query: URLSearchParams,
	{ model, most, usual = 20 }: Paging,
	name = 'limit',
): number {
	const text = query.get(name);
	if (text === null) return usual;
	const input: unknown = text;
	if (!/^\s*[+-]?\d+\s*$/.test(text)) {
		const text = 'Input should be a valid integer, unable to parse string as an integer';
		throw pydantic(model, [{ field: name, text, type: 'int_parsing', input }]);
	}
	const limit = Number(text);
	if (limit < 1) {
		const text = 'Input should be greater than or equal to 1';
		throw pydantic(model, [{ field: name, text, type: 'greater_than_equal', input }]);
	}
	if (limit > most) {
		const text = `Input should be less than or equal to ${most}`;
		throw pydantic(model, [{ field: name, text, type: 'less_than_equal', input }]);
	}
	return limit;
}

function uuidParam(query: URLSearchParams, name: string, model: string): string | undefined {
	const text = query.get(name)?.trim();
	if (text === undefined || text === '') return undefined;
	if (isUuid(text)) return text;
	throw pydantic(model, [
		{
			field: name,
			text: `Value error, ${name} must be a valid UUID`,
			type: 'value_error',
			input: text,
		},
	]);
}

function conversationOf(call: Call, id: string): SimConversation {
	const found = call.store.conversationOf(call.app, id, call.user.id);
	if (found === undefined) throw notFound('Conversation Not Exists.');
	return found;
}

/** An end user sees only messages that it sent over the API (docs/protocols/dify.md 4). */
function messageOf(call: Call, id: string): SimMessage {
	const found = call.app.messages.get(id);
	if (found === undefined || found.source !== 'api' || found.userId !== call.user.id) {
		throw notFound('Message Not Exists.');
	}
	return found;
}

export function postFeedback(call: Call): void {
	const { store, app, payload, user, ids } = call;
	const { rating = null, content = null } = payload;
	const problems = [];
	if (rating !== null && rating !== 'like' && rating !== 'dislike') {
		const text = "Input should be 'like' or 'dislike'";
		problems.push({ field: 'rating', text, type: 'literal_error', input: rating });
	}
	if (content !== null && typeof content !== 'string') {
		problems.push({
			field: 'content',
			text: 'Input should be a valid string',
			type: 'string_type',
			input: content,
		});
	}
	if (problems.length > 0) throw pydantic('MessageFeedbackPayload', problems);
	const message = messageOf(call, ids[0] ?? '');
	const at = app.feedbacks.findIndex(
		(each) => each.messageId === message.id && each.source === 'user',
	);
	const known = app.feedbacks[at];
	if (rating === null) {
		if (known === undefined) throw invalid('rating cannot be None when feedback not exists');
		app.feedbacks.splice(at, 1);
	} else if (known !== undefined) {
		known.rating = rating as SimFeedback['rating'];
		known.content = content as string | null;
		// A new record has whole seconds; a change has fractions (recorded).
		known.updatedAt = store.options.now();
	} else {
		app.feedbacks.push({
			id: store.newId('feedback'),
			conversationId: message.conversationId,
			messageId: message.id,
			rating: rating as SimFeedback['rating'],
			content: content as string | null,
			source: 'user',
			userId: user.id,
			createdAt: store.now(),
			updatedAt: store.now(),
		});
	}
	call.reply(200, { result: 'success' });
}

export function listFeedbacks(call: Call): void {
	const { app, query } = call;
	const model = 'FeedbackListQuery';
	const page = limitOf(query, { model, most: Number.MAX_SAFE_INTEGER, usual: 1 }, 'page');
	const limit = limitOf(query, { model, most: 101 });
	const newest = app.feedbacks.toReversed();
	const data = newest.slice((page - 1) * limit, page * limit).map((each) => ({
		id: each.id,
		app_id: app.id,
		conversation_id: each.conversationId,
		message_id: each.messageId,
		rating: each.rating,
		content: each.content,
		from_source: each.source,
		from_end_user_id: each.source === 'user' ? each.userId : null,
		from_account_id: each.source === 'admin' ? each.userId : null,
		created_at: isoTime(each.createdAt),
		updated_at: isoTime(each.updatedAt),
	}));
	call.reply(200, { data });
}

/** Pages go back in time; within a page the oldest comes first (docs/protocols/dify.md 2.7). */
export function listMessages(call: Call): void {
	needChat(call);
	const { app, query } = call;
	const model = 'MessageListQuery';
	const limit = limitOf(query, { model, most: 100 });
	const firstId = uuidParam(query, 'first_id', model);
	const id = query.get('conversation_id');
	if (id === null) {
		throw pydantic(model, [missing('conversation_id', Object.fromEntries(query) as Json)]);
	}
	if (id.trim() === '') {
		call.reply(200, { limit, has_more: false, data: [] });
		return;
	}
	const conversation = conversationOf(call, uuidParam(query, 'conversation_id', model) ?? '');
	const all = [...app.messages.values()].filter((each) => each.conversationId === conversation.id);
	const before = firstId === undefined ? all.length : all.findIndex((each) => each.id === firstId);
	if (before < 0) throw notFound('First Message Not Exists.');
	const start = Math.max(0, before - limit);
	const data = all.slice(start, before).map((each) => messageItem(call, each));
	call.reply(200, { limit, has_more: start > 0, data });
}

function messageItem(call: Call, message: SimMessage): Json {
	const feedback = call.app.feedbacks.find(
		(each) => each.messageId === message.id && each.source === 'user',
	);
	return {
		id: message.id,
		conversation_id: message.conversationId,
		// Only the web app has chains of answers; API messages have the nil UUID as parent.
		parent_message_id: NIL_UUID,
		inputs: message.inputs,
		query: message.query,
		answer: message.answer,
		feedback: feedback === undefined ? null : { rating: feedback.rating },
		retriever_resources: message.resources,
		created_at: message.createdAt,
		agent_thoughts: message.thoughts.map(({ message_files: files, ...thought }) => ({
			chain_id: null,
			message_id: message.id,
			created_at: message.createdAt,
			...thought,
			files,
		})),
		message_files: message.files.map(messageFile),
		...costOf(message),
		status: message.status,
		error: message.error,
		extra_contents: message.extra ?? [],
		total_tokens: 18,
	};
}

/** Tokens and price of a message, since 1.16. */
function costOf(message: SimMessage): Json {
	const counted = message.status === 'normal';
	return {
		message_tokens: counted ? 10 : 0,
		answer_tokens: counted ? 8 : 0,
		provider_response_latency: counted ? 0.5 : 0,
		total_price: '0E-7',
		currency: 'USD',
	};
}

/** A listed file of a message; files of the answer are kept as sent. */
function messageFile(file: Json): Json {
	if (file.dify_model_identity === undefined) return { belongs_to: 'user', ...file };
	return {
		id: file.related_id ?? file.id,
		filename: file.filename,
		type: file.type,
		url: file.url,
		mime_type: file.mime_type,
		size: file.size,
		transfer_method: file.transfer_method,
		belongs_to: 'user',
		upload_file_id: file.related_id,
	};
}

export function suggestedQuestions(call: Call): void {
	needChat(call);
	messageOf(call, call.ids[0] ?? '');
	const questions = call.app.suggestedQuestions;
	if (questions === null || questions === undefined) {
		const text = 'Suggested Questions Is Disabled.';
		throw new DifyHttpError(400, 'bad_request', text);
	}
	call.reply(200, { result: 'success', data: questions });
}

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

type SortKey = 'createdAt' | 'updatedAt';
const SORTS: Record<string, readonly [SortKey, 1 | -1]> = {
	created_at: ['createdAt', 1],
	'-created_at': ['createdAt', -1],
	updated_at: ['updatedAt', 1],
	'-updated_at': ['updatedAt', -1],
};

export function listConversations(call: Call): void {
	needChat(call);
	const { app, query, user } = call;
	const model = 'ConversationListQuery';
	const limit = limitOf(query, { model, most: 100 });
	const lastId = uuidParam(query, 'last_id', model);
	const sortBy = query.get('sort_by') ?? '-updated_at';
	const sort = SORTS[sortBy];
	if (sort === undefined) {
		const text = "Input should be 'created_at', '-created_at', 'updated_at' or '-updated_at'";
		throw pydantic(model, [{ field: 'sort_by', text, type: 'literal_error', input: sortBy }]);
	}
	const [key, direction] = sort;
	// Newest first, also within the same second.
	const own = [...app.conversations.values()].filter(
		(each) => each.source === 'api' && each.userId === user.id,
	);
	if (direction < 0) own.reverse();
	const all = own.sort((one, other) => direction * (one[key] - other[key]));
	const from = lastId === undefined ? 0 : all.findIndex((each) => each.id === lastId) + 1;
	if (lastId !== undefined && from === 0) throw notFound('Last Conversation Not Exists.');
	const data = all.slice(from, from + limit).map(conversationItem);
	call.reply(200, { limit, has_more: from + limit < all.length, data });
}

function conversationItem(conversation: SimConversation): Json {
	return {
		id: conversation.id,
		name: conversation.name,
		inputs: conversation.inputs,
		status: conversation.status,
		introduction: conversation.introduction,
		created_at: conversation.createdAt,
		updated_at: conversation.updatedAt,
	};
}

/** 1.12 checks neither the conversation's user nor whether it exists (docs/protocols/dify.md 2.8). */
export function deleteConversation(call: Call): void {
	needChat(call);
	const id = call.ids[0] ?? '';

	conversationOf(call, id);
	call.app.conversations.delete(id);
	for (const message of [...call.app.messages.values()]) {
		if (message.conversationId === id) call.app.messages.delete(message.id);
	}
	call.reply(204, undefined);
}

export function renameConversation(call: Call): void {
	needChat(call);
	const { payload, app, store } = call;
	const { name, auto_generate: auto } = payload;
	if (auto !== true && (typeof name !== 'string' || name.trim() === '')) {
		const text = 'Value error, name is required when auto_generate is false';
		throw pydantic('ConversationRenamePayload', [{ text, type: 'value_error', input: payload }]);
	}
	const conversation = conversationOf(call, call.ids[0] ?? '');
	if (auto === true) {
		const first = [...app.messages.values()].find(
			(each) => each.conversationId === conversation.id,
		);
		if (first === undefined) throw invalid('');
		conversation.name = `About ${first.query}`;
	} else {
		conversation.name = String(name);
	}
	conversation.updatedAt = store.now();
	call.reply(200, conversationItem(conversation));
}

export function listVariables(call: Call): void {
	needChat(call);
	const { query } = call;
	const model = 'ConversationVariablesQuery';
	const limit = limitOf(query, { model, most: 100 });
	const lastId = uuidParam(query, 'last_id', model);
	const conversation = conversationOf(call, call.ids[0] ?? '');
	const name = query.get('variable_name');
	const all = conversation.variables.filter((each) => name === null || each.name === name);
	const from = lastId === undefined ? 0 : all.findIndex((each) => each.id === lastId) + 1;
	if (lastId !== undefined && from === 0) throw invalid('');
	const data = all.slice(from, from + limit).map(variableItem);
	// Always false, seen in 1.16.
	call.reply(200, { limit, has_more: false, data });
}

function variableItem(variable: SimVariable): Json {
	return {
		id: variable.id,
		name: variable.name,
		value_type: variable.valueType,
		value: variableText(variable.value),
		description: variable.description,
		created_at: variable.createdAt,
		updated_at: variable.updatedAt,
	};
}

/** Python's `str` of the value. */
function variableText(value: unknown): string {
	return typeof value === 'string' ? value : pythonRepr(value);
}

/** Dify's type of a value: a list by its first entry, a number by whether it has a fraction. */
function segmentType(value: unknown): string {
	if (Array.isArray(value))
		return value.length === 0 ? 'array[any]' : `array[${segmentType(value[0])}]`;
	if (value === null) return 'none';
	return typeof value;
}

function numberKind(value: unknown): 'integer' | 'float' | undefined {
	if (typeof value !== 'number') return undefined;
	return Number.isInteger(value) ? 'integer' : 'float';
}

export function updateVariable(call: Call): void {
	needChat(call);
	const { payload, store, ids } = call;
	if (!('value' in payload))
		throw pydantic('ConversationVariableUpdatePayload', [missing('value', payload)]);
	const conversation = conversationOf(call, ids[0] ?? '');
	const variable = conversation.variables.find((each) => each.id === ids[1]);
	if (variable === undefined) throw notFound('Conversation Variable Not Exists.');
	const valueType = segmentType(payload.value);
	if (
		valueType !== variable.valueType &&
		!(valueType === 'array[any]' && variable.valueType.startsWith('array'))
	) {
		const text = `Type mismatch: variable '${variable.name}' expects ${variable.valueType}, but got ${valueType} type`;
		throw new DifyHttpError(400, 'bad_request', text);
	}
	// An integer variable accepts no fraction, and a float variable no integer.
	const [held, given] = [numberKind(variable.value), numberKind(payload.value)];
	if (held !== given) throw invalid(`not supported value type ${held}`);
	variable.value = payload.value;
	variable.updatedAt = store.now();
	call.reply(200, variableItem(variable));
}
