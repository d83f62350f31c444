import { anyModel } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/** sd-server of stable-diffusion.cpp (examples/server, seen: 97d2990): pictures, with jobs of its own. */
export const sdServer: ServerKind = {
	...openAiCompatible,
	label: 'sd-server',
	// Its list contains this ID, whatever model is loaded (routes_openai.cpp).
	recognizes: (answers) => anyModel(answers, ({ id }) => id === 'sd-cpp-local'),
	key: { isNeverNeeded: true },
	models: { ignoresName: true },
	media: { knownFor: ['images'] },
};
