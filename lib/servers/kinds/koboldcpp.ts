import { anyHeader, ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/** KoboldCpp (LostRuins/koboldcpp, koboldcpp.py): one model, llama.cpp's samplers, and an imitation of Ollama's API. */
export const koboldcpp: ServerKind = {
	...openAiCompatible,
	label: 'KoboldCpp',
	recognizes: (answers) =>
		anyHeader(answers, 'server', /^KoboldCpp/i) || ownsModels(answers, 'koboldcpp'),
	// Its list needs no key, and an empty request to a generating route would generate.
	health: { guardedRoute: { path: '/api/extra/last_logprobs' } },
};
