import { type AnswerSource, ChatClient } from '../../lib/chat/client';
import { checkParameters } from '../../lib/chat/request/parameters';
import type { ChatCall, ChatSettings } from '../../lib/chat/request/request';
import type { FinishedAnswer } from '../../lib/chat/types';
import type { Connection } from '../../lib/http/connection';
import { withModel } from '../shared/search-models';

/**
 * Answers of the chosen model, else of the one that its server has. The server is asked for that with an answer, not
 * while n8n builds the model: only a failed answer lets an agent's Fallback Model take over.
 */
export class ModelAnswers implements AnswerSource {
	readonly keepsPace = true;

	constructor(
		private readonly connection: Connection,
		private readonly settings: ChatSettings,
	) {
		checkParameters(settings.parameters);
	}

	/** As `ChatClient.generate`. */
	async *generate(call: ChatCall): AsyncGenerator<string, FinishedAnswer> {
		const settings = await withModel(this.settings, this.connection, 'chat', call.signal);
		return yield* new ChatClient(this.connection, settings).generate(call);
	}
}
