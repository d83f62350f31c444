import type { Connection } from '../http/connection';
import { requireModel } from '../servers/model-names';
import { ServerPool } from '../servers/pool/server-pool';
import { TurnMemory } from './answer/turn-memory';
import { finishAnswer } from './finish';
import { seenIn } from './seen';
import { openAnswer } from './open';
import { prepareCall } from './prepare';
import { readAnswer } from './read';
import { checkParameters } from './request/parameters';
import type { ChatCall, ChatSettings } from './request/request';
import type { FinishedAnswer } from './types';
import type { ChatProtocol } from './wire/protocol';

/** What gives the answers of a chat model. */
export interface AnswerSource {
	/** Whether `pieceMs` of a call is kept: otherwise its pieces come as they come. */
	readonly keepsPace?: boolean;
	/** As `ChatClient.generate`. */
	generate(call: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer>;
}

const sharedMemory = new TurnMemory();

/** Runs generations on one server with one set of settings. Free of LangChain and n8n: the host bridge stands on it. */
export class ChatClient implements AnswerSource {
	readonly keepsPace = true;
	private readonly servers: ServerPool;

	constructor(
		servers: Connection | ServerPool,
		readonly settings: ChatSettings,
		/** Default: whichever the server has that can do what is asked for. */
		private readonly protocol?: ChatProtocol,
		private readonly memory: TurnMemory = sharedMemory,
	) {
		this.servers = ServerPool.of(servers);
		requireModel(settings.model);
		checkParameters(settings.parameters);
	}

	/**
	 * One generation. Yields pieces of text as they arrive and returns the checked answer.
	 *
	 * @throws {ServerError} with what had arrived in `partialText` and `partialReasoning`
	 */
	async *generate(call: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer> {
		const prepared = prepareCall(this.settings, this.memory, call);
		const opened = await openAnswer(this.servers, prepared, this.protocol);
		const { span } = opened;
		try {
			const read = yield* readAnswer(opened, prepared);
			const answer = await finishAnswer(prepared, opened, read, this.servers.hasSeveral);
			span.note(seenIn(answer, prepared.startedAt));
			return answer;
		} catch (error) {
			throw span.fail(error);
		} finally {
			span.end();
		}
	}
}
