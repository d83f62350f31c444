import { anyModel } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/** sd-server of stable-diffusion.cpp (examples/server, seen: 97d2990): pictures, with jobs of its own. */
export const sdServer: ServerKind = {
	...other,
	label: 'sd-server',
	// Its list contains this ID, whatever model is loaded (routes_openai.cpp).
	matches: (answers) => anyModel(answers, ({ id }) => id === 'sd-cpp-local'),
	wantsNoKey: true,
	ignoresModelName: true,
	hasImageJobs: true,
};
