/** Supplies the chat model of an item: settings → generator → LangChain model. */
import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { supplySubNode } from '../shared/items/sub-node';
import { ChatExecution } from './execution';
import { fields } from './fields';
import { createGenerator } from './generator';
import { toLimits, toSettings } from './settings';
import { isJsonRequested } from '../../lib/chat/settings';
import type { ChatSettings } from '../../lib/chat/settings';
import { findHostClasses, loadSdk } from '../../lib/langchain/host-classes';
import type { HostGenerator } from '../../lib/langchain/host-generator';
import { getLocalChatModelClass } from '../../lib/langchain/local-chat-model';
import { getTracerWithoutTokenizer } from '../../lib/langchain/tracer-without-tokenizer';
import { createSdkChatModel } from '../../lib/langchain/sdk-chat-model';
import type { ModelServer } from '../../lib/servers/types/server-type';
import type { SubNode } from '../shared/items/sub-node';

/** What a model consists of. */
interface LangChainModelOptions {
	generate: HostGenerator;
	/** Shown in the execution log. */
	settings: ChatSettings;
	/** Shown in the execution log. */
	server: ModelServer;
}

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

/**
 * A generator as a LangChain model of this n8n: on the host's own LangChain classes, or on the SDK's adapter if those have
 * changed.
 */
async function createLangChainModel(
	{ context }: SubNode,
	{ generate, settings, server }: LangChainModelOptions,
): Promise<SupplyData> {
	const sdk = loadSdk();
	const host = await findHostClasses(context, sdk);
	if (host.type === 'missing') {
		context.logger.warn(
			`${context.getNode().name}: this n8n version has a different structure (${host.missing}), so the SDK adapter is used. Images, thinking and timings are lost.`,
		);
		const model = createSdkChatModel({ generate, modelId: settings.model, sdk });
		return sdk.supplyModel(context, model);
	}
	const Model = getLocalChatModelClass(host.classes);
	const Tracing = getTracerWithoutTokenizer(host.classes.N8nLlmTracing);
	const response = new Model({
		generate,
		toJsonSchema: sdk.getParametersJsonSchema,
		callbacks: [
			new Tracing(context, {
				errorDescriptionMapper: ({ description }: { description?: string }) => description,
			}),
		],
		settings: {
			model: settings.model,
			baseUrl: server.getApiUrl(),
			serverType: server.configuredType ?? 'auto',
			options: { ...settings.sampling, ...settings.timeouts, retries: settings.retries },
		},
		jsonOutput: isJsonRequested(settings.sampling),
	});
	return { response };
}
