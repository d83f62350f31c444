import { anyHeader, ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/** KoboldCpp (LostRuins/koboldcpp, koboldcpp.py): one model, llama.cpp's samplers, and an imitation of Ollama's API. */
export const koboldcpp: ServerKind = {
	...other,
	label: 'KoboldCpp',
	matches: (answers) =>
		anyHeader(answers, 'server', /^KoboldCpp/i) || ownsModels(answers, 'koboldcpp'),
	// Its list needs no key, and an empty request to a generating route would generate.
	guardedRoute: { path: '/api/extra/last_logprobs' },
};
