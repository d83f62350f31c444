import { entriesOf, textIn } from './evidence';
import type { ServerTraits } from './kind';
import { other } from './other';

/**
 * LocalAI (mudler/LocalAI, core/http): its list of models names neither owner nor date, its `/version` is a version
 * with a commit in brackets, and `/api/version` is an imitation of Ollama 0.9.0.
 */
export const localai: ServerTraits = {
	...other,
	label: 'LocalAI',
	isIt: (answers) => {
		const models = entriesOf(answers);
		if (models === undefined || models.some((entry) => 'owned_by' in entry || 'created' in entry)) return false;
		return (
			/^v?\d+\.\d.* \([0-9a-f]{7,40}\)$/.test(textIn(answers, 'version', 'version') ?? '') ||
			(models.length > 0 && textIn(answers, 'apiVersion', 'version') === '0.9.0')
		);
	},
	version: (answers) => textIn(answers, 'version', 'version'),
};
