import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('speaches', () => {
	testKind('speaches', {
		told: [
			[
				'speaches, by the tasks of its models',
				{
					models: list({
						id: 'Systran/faster-whisper-tiny',
						owned_by: 'Systran',
						task: 'automatic-speech-recognition',
					}),
				},
			],
		],
		chat: TAKES_EVERYTHING,
		advice: { noModels: 'operation Pull', missingModel: 'operation Pull' },
	});
});
