import { entriesOf, textIn } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * LocalAI (mudler/LocalAI, core/http): its list of models has neither owners nor dates, its `/version` is a version
 * with a commit in parentheses, and `/api/version` imitates Ollama 0.9.0.
 */
export const localai: ServerKind = {
	...openAiCompatible,
	label: 'LocalAI',
	signs: { passesOnOthers: true },
	recognizes: (answers) => {
		const models = entriesOf(answers);
		if (models === undefined || models.some((entry) => 'owned_by' in entry || 'created' in entry))
			return false;
		return (
			/^v?\d+\.\d.* \([0-9a-f]{7,40}\)$/.test(textIn(answers, 'version', 'version') ?? '') ||
			(models.length > 0 && textIn(answers, 'apiVersion', 'version') === '0.9.0')
		);
	},
	version: (answers) => textIn(answers, 'version', 'version'),
	media: { knownFor: ['images', 'transcription', 'speech'] },
};
