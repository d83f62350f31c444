import { anyHeaderNamed, ownsAnyModel } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/**
 * Olla (thushan/olla, seen: 200c24f), a load balancer. It passes on every route and field, and headers of the servers
 * behind it; its list of models is its own, and empty while none of them answers.
 */
export const olla: ServerKind = {
	...other,
	label: 'Olla',
	signs: { passesOnOthers: true },
	recognizes: (answers) =>
		ownsAnyModel(answers, 'olla') || anyHeaderNamed(answers, /^x-olla-request-id$/),
	words: {
		...other.words,
		noModels:
			'Start a server behind Olla: /internal/status/endpoints shows whether it reaches one.',
		missingModel: () => 'start a server behind Olla with it.',
	},
};
