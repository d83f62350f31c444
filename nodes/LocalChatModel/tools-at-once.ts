import type { AnswerSource } from '../../lib/chat/client';
import type { ChatCall } from '../../lib/chat/request/request';
import { calledTools, questionsOf, toolsToOffer } from '../../lib/chat/request/tools-at-once';
import type { FinishedAnswer } from '../../lib/chat/types';
import type { ToolRanking } from './tool-ranking';

/** A source of answers that offers the model only the tools that fit the conversation best. */
export class ToolsAtOnce implements AnswerSource {
	/** @param most how many tools are offered; 0 = all */
	constructor(
		private readonly source: AnswerSource,
		private readonly ranking: ToolRanking,
		private readonly most: number,
	) {}

	get keepsPace(): boolean {
		return this.source.keepsPace === true;
	}

	/** As the source. A call of a connected tool that was left out is a call as any other. */
	async *generate(call: ChatCall | (() => ChatCall)): AsyncGenerator<string, FinishedAnswer> {
		const wholeCall = typeof call === 'function' ? call() : call;
		const { tools = [], messages, toolChoice, signal } = wholeCall;
		if (this.most === 0 || tools.length <= this.most) return yield* this.source.generate(wholeCall);
		const { fit, basis } = await this.ranking.rank(questionsOf(messages), tools, signal);
		const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined;
		const called = calledTools(messages);
		const { offered, leftOut } = toolsToOffer(tools, fit, this.most, called, forced);
		const answer = yield* this.source.generate({
			...wholeCall,
			tools: offered,
			furtherTools: leftOut,
		});
		const log = {
			toolsOffered: `${offered.length} of ${tools.length}, chosen by ${basis}`,
			toolsLeftOut: leftOut.map(({ name }) => name),
		};
		return { ...answer, log: { ...answer.log, ...log } };
	}
}
