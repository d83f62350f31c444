/** What a server type says about a task that it lacks. */
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ServerTexts } from '../../../lib/errors/chapters/server-texts';
import type { ServerType } from '../../../lib/servers/types/server-type';
import type { ServerTask, TaskAdvices } from '../../../lib/errors/lacking-task';
import { describeLackingTask, needsModel } from '../../../lib/errors/lacking-task';

const ROWS = Object.values(SERVER_TYPES).flatMap((serverType) =>
	Object.entries(serverType.texts.tasks).map(([task, advice]) => ({
		name: serverType.name,
		task: task as ServerTask,
		serverType,
		advice,
	})),
);

const title = ({ label, texts }: ServerType, task: ServerTask, model = 'm') =>
	describeLackingTask(task, { label, model, advices: texts.tasks });

test.each(ROWS)('$name, $task: the title says whether another model helps', (row) => {
	const { serverType, task, advice } = row;
	expect(title(serverType, task).endsWith(' with this model')).toBe(advice.needs === 'model');
	const unknown = { label: undefined, model: '', advices: serverType.texts.tasks };
	expect(describeLackingTask(task, unknown)).not.toContain('with this model');
	expect(advice.suggestion).toMatch(/^[A-Z].*[.t]$/);
});

test.each(ROWS)('$name, $task: the advice is that of this server', ({ serverType, advice }) => {
	const { label, name } = serverType;
	expect(advice.suggestion).not.toMatch(new RegExp(`\\bUse [^.,]*\\b${label}\\b`));
	// Another server is named as such, not its options beside those of this one.
	if (name === 'other' || name === 'llamaServer' || advice.needs === 'otherServer') return;
	expect(advice.suggestion).not.toMatch(/llama-server|--embeddings|--rerank\b|--mmproj/);
});

test.each([
	['gpustack', 'speech', 'GPUStack cannot speak with this model', /text-to-speech model/],
	['gpustack', 'images', 'GPUStack cannot generate images with this model', /image model/],
	['vllm', 'rerank', 'vLLM cannot rerank with this model', /^Start vLLM with a reranker model/],
	['vllm', 'speech', 'vLLM cannot speak', /speaches/],
	['litellm', 'speech', 'LiteLLM cannot speak with this model', /audio_speech/],
	['lmStudio', 'rerank', 'LM Studio cannot rerank', /llama-server/],
	['llamaServer', 'speech', 'llama-server cannot speak', /GPUStack, speaches/],
] as const)('the advice for %s if it cannot do %s', (name, task, says, suggestion) => {
	expect(title(SERVER_TYPES[name], task)).toBe(says);
	expect(SERVER_TYPES[name].texts.tasks[task].suggestion).toMatch(suggestion);
});

const { speech, ...withoutSpeech } = SERVER_TYPES.vllm.texts.tasks;
const { tasks, ...withoutTasks } = SERVER_TYPES.vllm.texts;

test('a server type without a text for a task does not compile', () => {
	// @ts-expect-error without `speech`
	const incomplete: TaskAdvices = withoutSpeech;
	// @ts-expect-error without `tasks`
	const texts: ServerTexts = withoutTasks;
	// @ts-expect-error a task that does not exist
	const misspelt: TaskAdvices = { ...withoutSpeech, speach: needsModel('Look.') };
	// @ts-expect-error the name of a new type is not in the table
	const missing: ServerType | undefined = SERVER_TYPES.newServer;
	expect([incomplete.speech, texts.tasks, misspelt.speech, missing]).toEqual([
		undefined,
		undefined,
		undefined,
		undefined,
	]);
	expect([speech.needs, Object.keys(tasks)]).toEqual(['otherServer', expect.any(Array)]);
});
