import { DifyHttpError, getPage, invalid, isoTime, notFound } from './http';
import { needChat } from './runs';
import type { Call } from './store';
import type { Json, SimConversation, SimFeedback, SimMessage, SimVariable } from './types';

function findConversation(call: Call, id: string): SimConversation {
	const found = call.store.conversationOf(call.app, id, call.user.id);
	if (found === undefined) throw notFound('Conversation Not Exists.');
	return found;
}

/** An end user sees only messages that it sent over the API (docs/protocols/dify.md 4). */
function findMessage(call: Call, id: string): SimMessage {
	const found = call.app.messages.get(id);
	if (found === undefined || found.userId !== call.user.id) throw notFound('Message Not Exists.');
	return found;
}

export function postFeedback(call: Call): void {
	const { store, app, payload, user, ids } = call;
	const { rating = null, content = null } = payload;
	const message = findMessage(call, ids[0] ?? '');
	const at = app.feedbacks.findIndex(
		(each) => each.messageId === message.id && each.source === 'user',
	);
	const known = app.feedbacks[at];
	if (rating === null) {
		if (known === undefined) throw invalid('rating cannot be None when feedback not exists');
		app.feedbacks.splice(at, 1);
		call.reply(200, { result: 'success' });
		return;
	}
	const change = {
		rating: rating as SimFeedback['rating'],
		content: content as string | null,
		// A new record has whole seconds; a change has fractions (recorded).
		updatedAt: known === undefined ? store.now() : Date.now() / 1000,
	};
	if (known !== undefined) Object.assign(known, change);
	else
		app.feedbacks.push({
			id: store.newId('feedback'),
			conversationId: message.conversationId,
			messageId: message.id,
			source: 'user',
			userId: user.id,
			createdAt: store.now(),
			...change,
		});
	call.reply(200, { result: 'success' });
}

export function listFeedbacks({ app, query, reply }: Call): void {
	const { data: newest } = getPage(query, app.feedbacks.toReversed());
	const data = newest.map((each) => ({
		id: each.id,
		conversation_id: each.conversationId,
		message_id: each.messageId,
		rating: each.rating,
		content: each.content,
		from_source: each.source,
		created_at: isoTime(each.createdAt),
		updated_at: isoTime(each.updatedAt),
	}));
	reply(200, { data });
}

/** Pages go back in time; within a page the oldest comes first (docs/protocols/dify.md 2.7). */
export function listMessages(call: Call): void {
	needChat(call);
	const { app, query } = call;
	const limit = Number(query.get('limit') ?? 20);
	const firstId = query.get('first_id');
	const { id } = findConversation(call, query.get('conversation_id') ?? '');
	const all = [...app.messages.values()].filter((each) => each.conversationId === id);
	const before = firstId === null ? all.length : all.findIndex((each) => each.id === firstId);
	const start = Math.max(0, before - limit);
	const data = all.slice(start, before).map((each) => toMessageItem(call, each));
	call.reply(200, { limit, has_more: start > 0, data });
}

function toMessageItem({ app }: Call, message: SimMessage): Json {
	const feedback = app.feedbacks.find(
		(each) => each.messageId === message.id && each.source === 'user',
	);
	return {
		id: message.id,
		conversation_id: message.conversationId,
		inputs: message.inputs,
		query: message.query,
		answer: message.answer,
		feedback: feedback === undefined ? null : { rating: feedback.rating },
		retriever_resources: message.resources,
		created_at: message.createdAt,
		agent_thoughts: message.thoughts.map(({ message_files: files, ...thought }) => ({
			message_id: message.id,
			...thought,
			files,
		})),
		message_files: message.files,
		status: message.status,
		error: message.error,
	};
}

export function suggestedQuestions(call: Call): void {
	needChat(call);
	findMessage(call, call.ids[0] ?? '');
	const { suggestedQuestions: questions } = call.app;
	if (questions === undefined)
		throw new DifyHttpError(400, 'bad_request', 'Suggested Questions Is Disabled.');
	call.reply(200, { result: 'success', data: questions });
}

export function listConversations(call: Call): void {
	needChat(call);
	const { app, query, user } = call;
	const sortBy = query.get('sort_by') ?? '-updated_at';
	const key = sortBy.endsWith('created_at') ? 'createdAt' : 'updatedAt';
	const direction = sortBy.startsWith('-') ? -1 : 1;
	const own = [...app.conversations.values()].filter(({ userId }) => userId === user.id);
	// Newest first, also within the same second.
	if (direction < 0) own.reverse();
	const all = own.sort((one, other) => direction * (one[key] - other[key]));
	const { data, ...page } = getNext(query, all);
	call.reply(200, { ...page, data: data.map(toConversationItem) });
}

/** The entries after the last known one. */
function getNext<T extends { id: string }>(query: URLSearchParams, all: T[]) {
	const limit = Number(query.get('limit') ?? 20);
	const from = all.findIndex(({ id }) => id === query.get('last_id')) + 1;
	return { limit, has_more: from + limit < all.length, data: all.slice(from, from + limit) };
}

const toConversationItem = (conversation: SimConversation): Json => ({
	id: conversation.id,
	name: conversation.name,
	inputs: conversation.inputs,
	status: 'normal',
	created_at: conversation.createdAt,
	updated_at: conversation.updatedAt,
});

export function deleteConversation(call: Call): void {
	needChat(call);
	const { id } = findConversation(call, call.ids[0] ?? '');
	call.app.conversations.delete(id);
	call.reply(204, undefined);
}

export function renameConversation(call: Call): void {
	needChat(call);
	const { payload, app, store } = call;
	const { name, auto_generate: isGenerated } = payload;
	const conversation = findConversation(call, call.ids[0] ?? '');
	const [first] = [...app.messages.values()].filter(
		(each) => each.conversationId === conversation.id,
	);
	if (isGenerated !== true && String(name).trim() === '')
		throw invalid('name is required when auto_generate is false');
	conversation.name = isGenerated === true ? `About ${first?.query}` : String(name);
	conversation.updatedAt = store.now();
	call.reply(200, toConversationItem(conversation));
}

export function listVariables(call: Call): void {
	needChat(call);
	const { query } = call;
	const { variables } = findConversation(call, call.ids[0] ?? '');
	const name = query.get('variable_name');
	const all = variables.filter((each) => name === null || each.name === name);
	const { limit, data } = getNext(query, all);
	// `has_more` is always false, seen in 1.16.
	call.reply(200, { limit, has_more: false, data: data.map(toVariableItem) });
}

/** The value is Python's `str` of it. */
function toVariableItem({ value, valueType, ...variable }: SimVariable): Json {
	return {
		id: variable.id,
		name: variable.name,
		value_type: valueType,
		value: typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', "'"),
		description: '',
		created_at: variable.createdAt,
		updated_at: variable.updatedAt,
	};
}

export function updateVariable(call: Call): void {
	needChat(call);
	const { payload, store, ids } = call;
	const { variables } = findConversation(call, ids[0] ?? '');
	const variable = variables.find(({ id }) => id === ids[1]);
	if (variable === undefined) throw notFound('Conversation Variable Not Exists.');
	variable.value = payload.value;
	variable.updatedAt = store.now();
	call.reply(200, toVariableItem(variable));
}
