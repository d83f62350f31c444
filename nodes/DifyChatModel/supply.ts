import { NodeConnectionTypes, type ISupplyDataFunctions, type SupplyData } from 'n8n-workflow';

import { difyClient } from '../../lib/dify/credentials';
import { jsonInputs } from '../../lib/dify/forms/input-form';
import type { DifyMemory } from '../../lib/langchain/dify-prompt';
import { DifySource, type DifyModelSettings } from '../../lib/langchain/dify-source';
import { userIn } from '../shared/dify/ids';
import { readRunLimits } from '../shared/dify/run-options';
import { NodeParameters } from '../shared/parameters';
import { supplied } from '../shared/sub-node-log';
import { supplyModel } from '../shared/supplied-model';
import { properties } from './fields';

/** Supplies a Dify app as chat model. */
export async function supplyDifyModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplied(context, NodeConnectionTypes.AiLanguageModel, itemIndex, async (log) => {
		const client = difyClient(await context.getCredentials('difyApi', itemIndex), context.helpers);
		const settings = readSettings(new NodeParameters(context, itemIndex, properties));
		const { user, memory, inputs, limits, retries } = settings;
		return await supplyModel(context, {
			source: new DifySource(client, settings),
			settings: {
				model: 'Dify',
				baseUrl: client.api,
				options: { user, memory, inputs, ...limits, retries },
			},
			toError: (error) => log.nodeError(error),
		});
	});
}

/** Reads the node's parameters, which may come out of expressions with any type. */
function readSettings(parameters: NodeParameters): DifyModelSettings {
	const inputs = parameters.value('options.inputs');
	return {
		user: userIn(parameters),
		memory: parameters.choice<DifyMemory>('memory'),
		inputs: inputs === undefined ? {} : jsonInputs(inputs),
		systemVariable: parameters.name('options.systemVariable'),
		promptVariable: parameters.name('options.promptVariable'),
		outputField: parameters.name('options.outputField'),
		emptyAnswers: parameters.flag('options.emptyAnswers', false),
		deleteConversations: parameters.flag('options.deleteConversations', false),
		limits: readRunLimits(parameters),
		retries: parameters.number('options.maxRetries', 2),
	};
}
