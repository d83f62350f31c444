import { TAKES_EVERYTHING, testKind } from './kind-suite';

describe('whisper.cpp', () => {
	testKind('whisperCpp', {
		told: [
			[
				'the server of whisper.cpp, by its header',
				{
					models: {
						status: 404,
						headers: { server: 'whisper.cpp' },
						text: 'File Not Found (/v1/models)',
						json: undefined,
					},
				},
			],
		],
		chat: TAKES_EVERYTHING,
		advice: { noModels: 'leave the model empty' },
	});
});
