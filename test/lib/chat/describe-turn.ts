/** Turns as rows of an approved table. */
import { createModelServer } from '../../../lib/servers/endpoint';
import type { ServerTypeName } from '../../../lib/server-type-name';
import type { JsonRecord } from '../../../lib/values/records';
import { omitUndefined } from '../../../lib/values/records';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { ChatSettings } from '../../../lib/chat/settings';
import type { Answer, Routes, ScriptedServer } from '../../support/servers/scripted-server';
import { CHAT, LLAMA_SERVER } from '../../guarantees/support/responses';
import { joinPlaces } from '../../support/approved/approved-table';
import type { ApprovedRow, PlacedOutcome } from '../../support/approved/approved-table';
import { playTurn } from './scripted-turn';
import { describeError } from '../../support/approved/outcome';
import { NO_EXECUTION } from '../../support/n8n/node-host';

/** A turn, and what the server answers to its requests, one after the other; the last answer again and again. */
export interface ScriptedTurn {
	/** What differs from other turns in the answers. */
	name: string;
	/** What differs in the settings. */
	place: string;
	answers: readonly Answer[];
	settings?: Partial<ChatSettings>;
	chatRequest?: Partial<ChatRequest>;
	/** Default: llama-server. */
	serverType?: ServerTypeName;
	/** What the server lists. Default: the model of the turn. */
	listed?: Answer;
	/** How many turns had a usable response from the same server before. Default: none. */
	earlier?: readonly Answer[];
}

/** Plays turns one after the other, each with a key of its own, so that none learns from another. */
export class TurnPlayer {
	private answers: Answer[] = [];
	private listed: Answer | undefined;
	private count = 0;
	private server!: ScriptedServer;

	constructor(private readonly start: (routes: Routes | Answer) => Promise<ScriptedServer>) {}

	async open(): Promise<void> {
		this.server = await this.start((request, response) => {
			const [path = ''] = request.path.split('?');
			const route = LLAMA_SERVER[`${request.method} ${path}`] as Answer | undefined;
			if (path === '/v1/models' && this.listed !== undefined) return this.listed(request, response);
			if (route !== undefined) return route(request, response);
			const isChat = path === CHAT || path === '/api/chat';
			const answer = !isChat || this.answers.length < 2 ? this.answers[0] : this.answers.shift();
			if (isChat && answer !== undefined) return answer(request, response);
			response.writeHead(404, { 'content-type': 'application/json' });
			return response.end('{"error":{"code":404,"message":"File Not Found"}}');
		});
	}

	/** Plays turns, and joins those with the same outcome. */
	async describeAll(turns: readonly ScriptedTurn[]): Promise<ApprovedRow[]> {
		const outcomes: PlacedOutcome[] = [];
		for (const turn of turns)
			outcomes.push({
				subject: turn.name,
				place: turn.place,
				outcome: await this.describe(turn),
			});
		return joinPlaces(outcomes);
	}

	/** What was sent, shown and returned, or the error. */
	private async describe({
		answers,
		settings,
		chatRequest,
		serverType = 'llamaServer',
		earlier = [],
		listed,
	}: ScriptedTurn): Promise<unknown> {
		const { server } = this;
		this.count += 1;
		this.listed = listed;
		const apiKey = `key-of-turn-${String(this.count)}`;
		const model = createModelServer({ baseUrl: server.url, apiKey, serverType }, NO_EXECUTION);
		for (const answer of earlier) {
			this.answers = [answer];
			await playTurn(server.url, { settings, server: model });
		}
		this.answers = [...answers];
		const from = server.requests.length;
		const { result, error, shown } = await playTurn(server.url, {
			settings,
			chatRequest,
			server: model,
		});
		const sent = server.requests
			.slice(from)
			// Ollama is asked for the template of the model in the same way.
			.filter(({ method, path }) => method === 'POST' && path !== '/api/show');
		return omitUndefined({
			sent: withoutIds(describeBodies(sent.map(({ path, body }) => ({ path, ...body })))),
			shown: toShort(shown.join('')),
			...(result && {
				text: result.text === shown.join('') ? undefined : toShort(result.text),
				thinking: result.reasoning || undefined,
				calls: toListOrNone(result.toolCalls.map((call) => `${call.name} ${call.arguments}`)),
				json: result.json,
				finish: result.finishReason,
				usage: result.usage && Object.values(result.usage).join(' '),
				model: result.model === 'sim-model' ? undefined : result.model,
				corrections: result.corrections,
				warnings: toListOrNone(result.warnings),
			}),
			...(error && {
				error: this.withoutAddress(describeError(error)),
				partial: toShort(error.partialText),
				partialThinking: toShort(error.partialReasoning),
				partialCalls: error.partialToolCalls?.map((call) => `${call.name} ${call.arguments}`),
				twice: error.wasSentTwice || undefined,
			}),
		});
	}

	private withoutAddress(text: string): string {
		return text.replaceAll(new URL(this.server.url).host, 'HOST');
	}
}

/** Undefined for none; of a long text, its beginning and its length. */
function toShort(text = ''): string | undefined {
	if (text.length <= MAX_TEXT) return text || undefined;
	return `${text.slice(0, MAX_TEXT)}… (${String(text.length)})`;
}

const MAX_TEXT = 200;

/** The IDs of repeated calls are random. */
function withoutIds(sent: unknown): unknown {
	const json = JSON.stringify(sent).replace(/"(id|tool_call_id)":"\w{9}"/g, '"$1":"ID"');
	return JSON.parse(json) as unknown;
}

function toListOrNone<T>(list: readonly T[]): readonly T[] | undefined {
	return list.length > 0 ? list : undefined;
}

/** How many requests, and what changed in each of them after the first one. */
function describeBodies(bodies: readonly JsonRecord[]): unknown {
	if (bodies.length < 2) return bodies.length;
	const changes = bodies.slice(1).map((body, at) => describeChange(bodies[at]!, body));
	return changes.every((change) => change === AGAIN)
		? `${AGAIN}, ${String(changes.length)} times`
		: changes;
}

const AGAIN = 'again';

function describeChange(before: JsonRecord, body: JsonRecord): unknown {
	const changed = Object.entries(body).filter(
		([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
	);
	const gone = Object.keys(before).filter((name) => !(name in body));
	if (changed.length + gone.length === 0) return AGAIN;
	return {
		...Object.fromEntries(changed.map(([name, value]) => [name, toNewPart(before[name], value)])),
		...(gone.length > 0 && { gone }),
	};
}

/** Of a list that only grew, what is new. */
function toNewPart(before: unknown, value: unknown): unknown {
	if (!Array.isArray(before) || !Array.isArray(value)) return value;
	const isSame = before.every((one, at) => JSON.stringify(one) === JSON.stringify(value[at]));
	return isSame ? { added: (value as unknown[]).slice(before.length) } : value;
}
