import { resourceTable } from '../shared/run/operations';
import { annotationReplyDisable } from './annotation-reply/disable';
import { annotationReplyEnable } from './annotation-reply/enable';
import { annotationReplyGetStatus } from './annotation-reply/get-status';
import { annotationDelete } from './annotation/delete';
import { annotationCreate, annotationGetAll } from './annotation/routes';
import { annotationUpdate } from './annotation/update';
import { annotationUpsert } from './annotation/upsert';
import { appGet } from './app/get';
import { audioSpeak } from './audio/speak';
import { audioTranscribe } from './audio/transcribe';
import { endUserGet } from './end-user/routes';
import { fileDownload } from './file/download';
import { fileUpload } from './file/upload';
import { textGenerate } from './text/generate';

/** What the node can do. */
export const operations = resourceTable([
	{
		option: { name: 'Text', value: 'text', description: 'For apps of the type text generator' },
		operations: [textGenerate],
	},
	{ option: { name: 'Audio', value: 'audio' }, operations: [audioSpeak, audioTranscribe] },
	{
		option: {
			name: 'Annotation',
			value: 'annotation',
			description: 'Questions with fixed answers',
		},
		operations: [
			annotationUpsert,
			annotationGetAll,
			annotationCreate,
			annotationUpdate,
			annotationDelete,
		],
		preset: 'getAll',
	},
	{
		option: {
			name: 'Annotation Reply',
			value: 'annotationReply',
			description: 'Whether the app answers with them',
		},
		operations: [annotationReplyEnable, annotationReplyGetStatus, annotationReplyDisable],
	},
	{ option: { name: 'File', value: 'file' }, operations: [fileUpload, fileDownload] },
	{ option: { name: 'App', value: 'app' }, operations: [appGet] },
	{ option: { name: 'End User', value: 'endUser' }, operations: [endUserGet] },
]);
