import { calledTools, fitByWords, questionsOf, toolsToOffer } from '../../lib/chat/tools-at-once';
import type { AnswerSource } from '../../lib/chat/types';

/**
 * Offers the model only the tools that fit the conversation best. A call of a connected tool that was left out is a call
 * as any other.
 *
 * @param most how many tools are offered
 */
export function withToolsAtOnce(answers: AnswerSource, most: number): AnswerSource {
	return async (call, show) => {
		const { tools = [], messages, toolChoice } = call;
		if (tools.length <= most) return await answers(call, show);
		const fit = fitByWords(questionsOf(messages), tools);
		const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined;
		const { offered, leftOut } = toolsToOffer(tools, fit, most, calledTools(messages), forced);
		const answer = await answers({ ...call, tools: offered, furtherTools: leftOut }, show);
		const log = {
			toolsOffered: `${offered.length} of ${tools.length}, chosen by their words`,
			toolsLeftOut: leftOut.map(({ name }) => name),
		};
		return { ...answer, log: { ...answer.log, ...log } };
	};
}
