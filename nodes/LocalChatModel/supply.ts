/** Supplies the chat model of an item: settings → generator → LangChain model. */
import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { supplySubNode } from '../shared/items/sub-node';
import { ChatExecution } from './execution';
import { fields } from './fields';
import { createGenerator } from './generator';
import { createLangChainModel } from './langchain-model';
import { toLimits, toSettings } from './settings';

/** @throws {SubNodeError} for an invalid option, or an n8n that cannot use the model */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiLanguageModel, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const { values, server, priority } = await subNode.open(fields);
		const settings = { ...toSettings(values), priority };
		const limits = toLimits(values);
		const execution = new ChatExecution(subNode);
		const generate = createGenerator({ server, settings, limits, execution });
		return {
			...(await createLangChainModel(subNode, { generate, settings, server })),
			closeFunction: async () => await Promise.resolve(execution.close()),
		};
	});
}
