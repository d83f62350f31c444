/** Supplies the chat model of an item: settings → generator → LangChain model. */
import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { supplySubNode } from '../shared/sub-node';
import { ChatExecution } from './execution';
import { properties } from './fields';
import { createGenerator } from './generator';
import { createLangChainModel } from './langchain-model';
import { readLimits, readSettings } from './settings';

/** @throws {SubNodeError} for an invalid option, or an n8n that cannot use the model */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiLanguageModel, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const { parameters, server, priority } = await subNode.open(properties);
		const settings = { ...readSettings(parameters), priority };
		const limits = readLimits(parameters);
		const execution = new ChatExecution(subNode);
		const generate = createGenerator({ server, settings, limits, execution });
		return {
			...(await createLangChainModel(subNode, { generate, settings, server })),
			closeFunction: async () => await Promise.resolve(execution.close()),
		};
	});
}
