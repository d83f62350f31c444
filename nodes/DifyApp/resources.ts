import { createResourceTable } from '../shared/run/operations';
import {
	annotationCreate,
	annotationDelete,
	annotationGetAll,
	annotationUpdate,
} from './annotation';
import { appGet } from './app';
import { audioSpeak, audioTranscribe } from './audio';
import { fileDownload, fileUpload } from './file';
import { textGenerate } from './generate';

export const operations = createResourceTable([
	{
		name: 'Text',
		value: 'text',
		description: 'For text generator apps',
		operations: [textGenerate],
	},
	{ name: 'Audio', value: 'audio', operations: [audioSpeak, audioTranscribe] },
	{
		name: 'Annotation',
		value: 'annotation',
		description: 'Questions with predefined answers',
		operations: [annotationGetAll, annotationCreate, annotationUpdate, annotationDelete],
	},
	{ name: 'File', value: 'file', operations: [fileUpload, fileDownload] },
	{ name: 'App', value: 'app', operations: [appGet] },
]);
