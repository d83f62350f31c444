import { checkParameters } from '../../lib/chat/parameters';
import { runTurn } from '../../lib/chat/turn';
import type { AnswerSource, ChatSettings } from '../../lib/chat/types';
import type { Server } from '../../lib/servers/kinds/kind';
import { withChosenModel } from '../shared/search-models';

/**
 * Answers of the chosen model, else of the one that its server has. The server is asked for that with an answer, not
 * while n8n builds the model: only a failed answer lets an agent's Fallback Model take over.
 *
 * @throws {ServerError} of kind `invalidInput` for a wrong option, at once
 */
export function answersOf(server: Server, settings: ChatSettings): AnswerSource {
	checkParameters(settings.parameters);
	return async (call, show) => {
		const chosen = await withChosenModel(settings, server, 'chat', call.signal);
		return await runTurn(server, chosen, call, show);
	};
}
