import { recordOf, recordsIn } from '../../values';
import { withStatesOf } from '../running-models';
import { anyModel, ownsAnyModel } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

const RUNNING = { path: '/v1/health', stateOf } as const;

/**
 * AMD's Lemonade Server (lemonade-sdk/lemonade, docs/server; seen: 11.7.0): llama-server and others behind one address,
 * with an imitation of Ollama's API.
 */
export const lemonade: ServerKind = {
	...openAiCompatible,
	label: 'Lemonade',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		ownsAnyModel(answers, 'lemonade') ||
		anyModel(answers, (entry) => 'recipe' in entry && 'checkpoint' in entry),
	models: { running: RUNNING, withDetails: withStatesOf(RUNNING) },
};

/** Older versions tell one name only. */
function stateOf(id: string, health: unknown): string {
	const { all_models_loaded: all, model_loaded: last } = recordOf(health);
	const isInMemory = recordsIn(all).some((one) => one.model_name === id) || last === id;
	return isInMemory ? 'loaded' : 'unloaded';
}
