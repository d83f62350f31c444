import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import { findTemplateTokens } from '../../text/turn-tokens';
import type { JsonRecord } from '../../values/records';
import { asString } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { tryProbeObject } from '../probe';
import { parseProps } from '../parse-models';
import type { ServerProps, ServerType } from './server-type';
import { findThinkingKeys } from '../template-arguments';
import { routerActions } from './router-actions';

/** llama.cpp's llama-server, alone or as a router. Sources: docs/protocols/llama-server.md 2.6, 6, 8.1. */
export const llamaServer: ServerType = {
	name: 'llamaServer',
	label: 'llama-server',
	benchmarkFields: { cache_prompt: false, ignore_eos: true },
	supportedFields: 'all',
	supportsUnlimitedTokens: true,
	thinking: { switch: 'template', budgetFields: ['reasoning_budget_tokens'] },
	reasoningFields: ['reasoning_content'],
	toGrammarFields: (grammar) => ({ grammar }),
	compilesSchemas: 'formatsAndTools',
	// docs/protocols/llama-server.md 6.1
	toolChoiceSupport: 'mode',
	videoPartType: 'input_video',
	ignoresModelName: true,
	hasEveryRoute: true,
	// A router would load the model for this request.
	fetchProps: async (server, model, options) => {
		const query = model === '' ? '' : `?model=${encodeURIComponent(model)}&autoload=false`;
		const all = await tryProbeObject(server, `/props${query}`, options);
		return all === undefined ? undefined : toServerProps(all);
	},
	enrichModels: async (server, models, options) => {
		const [only] = models;
		if (only === undefined || models.length > 1 || only.args !== undefined) return models;
		const all = await tryProbeObject(server, '/props', options);
		if (all === undefined) return models;
		const props = parseProps(all);
		// Inputs of the list take precedence; its context is that of all slots together.
		return [{ state: 'loaded', ...props, ...only, context: props.context ?? only.context }];
	},
	modelActions: routerActions,
	supportsBase64: true,
	texts: SERVER_TEXTS.llamaServer,
};

function toServerProps(all: JsonRecord): ServerProps {
	const slots = Math.floor(asFiniteNumber(all.total_slots) ?? 0);
	return {
		...parseProps(all),
		slots: slots > 0 ? slots : undefined,
		thinkingKeys: findThinkingKeys(all.chat_template),
		templateTokens: findTemplateTokens(asString(all.chat_template) ?? ''),
	};
}
