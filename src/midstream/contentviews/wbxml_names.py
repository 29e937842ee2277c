"""The names that numbers stand for in WBXML: the pages of Exchange ActiveSync ([MS-ASWBXML] §2.1.2.1), and the small
tables of WAP push (WAP-167 service indication, WAP-168 service loading).

Read by wbxml.py. In a page the names follow each other from number 5 on; `-` is a number that none has.
"""

from __future__ import annotations

_PAGES: tuple[tuple[str, str], ...] = (
    (
        "AirSync",
        "Sync Responses Add Change Delete Fetch SyncKey ClientId ServerId Status Collection Class Version "
        "CollectionId GetChanges MoreAvailable WindowSize Commands Options FilterType Truncation "
        "RTFTruncation Conflict Collections ApplicationData DeletesAsMoves NotifyGUID Supported SoftDelete "
        "MIMESupport MIMETruncation Wait Limit Partial ConversationMode MaxItems HeartbeatInterval",
    ),
    (
        "Contacts",
        "Anniversary AssistantName AssistantTelephoneNumber Birthday Body BodySize BodyTruncated "
        "Business2PhoneNumber BusinessCity BusinessCountry BusinessPostalCode BusinessState BusinessStreet "
        "BusinessFaxNumber BusinessPhoneNumber CarPhoneNumber Categories Category Children Child CompanyName "
        "Department Email1Address Email2Address Email3Address FileAs FirstName Home2PhoneNumber HomeCity "
        "HomeCountry HomePostalCode HomeState HomeStreet HomeFaxNumber HomePhoneNumber JobTitle LastName "
        "MiddleName MobilePhoneNumber OfficeLocation OtherCity OtherCountry OtherPostalCode OtherState "
        "OtherStreet PagerNumber RadioPhoneNumber Spouse Suffix Title WebPage YomiCompanyName YomiFirstName "
        "YomiLastName CompressedRTF Picture Alias WeightedRank",
    ),
    (
        "Email",
        "Attachment Attachments AttName AttSize AttOId AttMethod AttRemoved Body BodySize BodyTruncated "
        "DateReceived DisplayName DisplayTo Importance MessageClass Subject Read To Cc From ReplyTo "
        "AllDayEvent Categories Category DTStamp EndTime InstanceType BusyStatus Location MeetingRequest "
        "Organizer RecurrenceId Reminder ResponseRequested Recurrences Recurrence Recurrence_Type "
        "Recurrence_Until Recurrence_Occurrences Recurrence_Interval Recurrence_DayOfWeek "
        "Recurrence_DayOfMonth Recurrence_WeekOfMonth Recurrence_MonthOfYear StartTime Sensitivity TimeZone "
        "GlobalObjId ThreadTopic MIMEData MIMETruncated MIMESize InternetCPID Flag FlagStatus ContentClass "
        "FlagType CompleteTime DisallowNewTimeProposal",
    ),
    (
        "AirNotify",
        "Notify Notification Version LifeTime DeviceInfo Enable Folder ServerId DeviceAddress "
        "ValidCarrierProfiles CarrierProfile Status Responses Devices Device Id Expiry NotifyGUID "
        "DeviceFriendlyName",
    ),
    (
        "Calendar",
        "Timezone AllDayEvent Attendees Attendee Attendee_Email Attendee_Name Body BodyTruncated BusyStatus "
        "Categories Category Compressed_RTF DTStamp EndTime Exception Exceptions Exception_Deleted "
        "Exception_StartTime Location MeetingStatus Organizer_Email Organizer_Name Recurrence Recurrence_Type "
        "Recurrence_Until Recurrence_Occurrences Recurrence_Interval Recurrence_DayOfWeek "
        "Recurrence_DayOfMonth Recurrence_WeekOfMonth Recurrence_MonthOfYear Reminder Sensitivity Subject "
        "StartTime UID Attendee_Status Attendee_Type - - - - - - - - DisallowNewTimeProposal "
        "ResponseRequested AppointmentReplyTime ResponseType CalendarType IsLeapMonth FirstDayOfWeek "
        "OnlineMeetingConfLink OnlineMeetingExternalLink ClientUid",
    ),
    (
        "Move",
        "MoveItems Move SrcMsgId SrcFldId DstFldId Response Status DstMsgId",
    ),
    (
        "GetItemEstimate",
        "GetItemEstimate Version Collections Collection Class CollectionId DateTime Estimate Response Status",
    ),
    (
        "FolderHierarchy",
        "Folders Folder DisplayName ServerId ParentId Type Response Status ContentClass Changes Add Delete "
        "Update SyncKey FolderCreate FolderDelete FolderUpdate FolderSync Count Version",
    ),
    (
        "MeetingResponse",
        "CalendarId CollectionId MeetingResponse RequestId Request Result Status UserResponse Version "
        "InstanceId - ProposedStartTime ProposedEndTime SendResponse",
    ),
    (
        "Tasks",
        "Body BodySize BodyTruncated Categories Category Complete DateCompleted DueDate UTCDueDate Importance "
        "Recurrence Recurrence_Type Recurrence_Start Recurrence_Until Recurrence_Occurrences "
        "Recurrence_Interval Recurrence_DayOfMonth Recurrence_DayOfWeek Recurrence_WeekOfMonth "
        "Recurrence_MonthOfYear Recurrence_Regenerate Recurrence_DeadOccur ReminderSet ReminderTime "
        "Sensitivity StartDate UTCStartDate Subject CompressedRTF OrdinalDate SubOrdinalDate CalendarType "
        "IsLeapMonth FirstDayOfWeek",
    ),
    (
        "ResolveRecipients",
        "ResolveRecipients Response Status Type Recipient DisplayName EmailAddress Certificates Certificate "
        "MiniCertificate Options To CertificateRetrieval RecipientCount MaxCertificates "
        "MaxAmbiguousRecipients CertificateCount Availability StartTime EndTime MergedFreeBusy Picture "
        "MaxSize Data MaxPictures",
    ),
    (
        "ValidateCert",
        "ValidateCert Certificates Certificate CertificateChain CheckCRL Status",
    ),
    (
        "Contacts2",
        "CustomerId GovernmentId IMAddress IMAddress2 IMAddress3 ManagerName CompanyMainPhone AccountName NickName MMS",
    ),
    (
        "Ping",
        "Ping AutdState Status HeartbeatInterval Folders Folder Id Class MaxFolders",
    ),
    (
        "Provision",
        "Provision Policies Policy PolicyType PolicyKey Data Status RemoteWipe EASProvisionDoc "
        "DevicePasswordEnabled AlphanumericDevicePasswordRequired DeviceEncryptionEnabled "
        "PasswordRecoveryEnabled DocumentBrowseEnabled AttachmentsEnabled MinDevicePasswordLength "
        "MaxInactivityTimeDeviceLock MaxDevicePasswordFailedAttempts MaxAttachmentSize "
        "AllowSimpleDevicePassword DevicePasswordExpiration DevicePasswordHistory AllowStorageCard "
        "AllowCamera RequireDeviceEncryption AllowUnsignedApplications AllowUnsignedInstallationPackages "
        "MinDevicePasswordComplexCharacters AllowWiFi AllowTextMessaging AllowPOPIMAPEmail AllowBluetooth "
        "AllowIrDA RequireManualSyncWhenRoaming AllowDesktopSync MaxCalendarAgeFilter AllowHTMLEmail "
        "MaxEmailAgeFilter MaxEmailBodyTruncationSize MaxEmailHTMLBodyTruncationSize "
        "RequireSignedSMIMEMessages RequireEncryptedSMIMEMessages RequireSignedSMIMEAlgorithm "
        "RequireEncryptionSMIMEAlgorithm AllowSMIMEEncryptionAlgorithmNegotiation AllowSMIMESoftCerts "
        "AllowBrowser AllowConsumerEmail AllowRemoteDesktop AllowInternetSharing "
        "UnapprovedInROMApplicationList ApplicationName ApprovedApplicationList Hash AccountOnlyRemoteWipe",
    ),
    (
        "Search",
        "Search - Store Name Query Options Range Status Response Result Properties Total EqualTo Value And Or "
        "FreeText - DeepTraversal LongId RebuildResults LessThan GreaterThan Schema Supported UserName "
        "Password ConversationId Picture MaxSize MaxPictures",
    ),
    (
        "GAL",
        "DisplayName Phone Office Title Company Alias FirstName LastName HomePhone MobilePhone EmailAddress "
        "Picture Status Data",
    ),
    (
        "AirSyncBase",
        "BodyPreference Type TruncationSize AllOrNone - Body Data EstimatedDataSize Truncated Attachments "
        "Attachment DisplayName FileReference Method ContentId ContentLocation IsInline NativeBodyType "
        "ContentType Preview BodyPartPreference BodyPart Status Add Delete ClientId Content Location "
        "Annotation Street City State Country PostalCode Latitude Longitude Accuracy Altitude "
        "AltitudeAccuracy LocationUri InstanceId",
    ),
    (
        "Settings",
        "Settings Status Get Set Oof OofState StartTime EndTime OofMessage AppliesToInternal "
        "AppliesToExternalKnown AppliesToExternalUnknown Enabled ReplyMessage BodyType DevicePassword "
        "Password DeviceInformation Model IMEI FriendlyName OS OSLanguage PhoneNumber UserInformation "
        "EmailAddresses SmtpAddress UserAgent EnableOutboundSMS MobileOperator PrimarySmtpAddress Accounts "
        "Account AccountId AccountName UserDisplayName SendDisabled - RightsManagementInformation",
    ),
    (
        "DocumentLibrary",
        "LinkId DisplayName IsFolder CreationDate LastModifiedDate IsHidden ContentLength ContentType",
    ),
    (
        "ItemOperations",
        "ItemOperations Fetch Store Options Range Total Properties Data Status Response Version Schema Part "
        "EmptyFolderContents DeleteSubFolders UserName Password Move DstFldId ConversationId MoveAlways",
    ),
    (
        "ComposeMail",
        "SendMail SmartForward SmartReply SaveInSentItems ReplaceMime - Source FolderId ItemId LongId "
        "InstanceId MIME ClientId Status AccountId - Forwardees Forwardee Name Email",
    ),
    (
        "Email2",
        "UmCallerID UmUserNotes UmAttDuration UmAttOrder ConversationId ConversationIndex LastVerbExecuted "
        "LastVerbExecutionTime ReceivedAsBcc Sender CalendarType IsLeapMonth AccountId FirstDayOfWeek "
        "MeetingMessageType - IsDraft Bcc Send",
    ),
    (
        "Notes",
        "Subject MessageClass LastModifiedDate Categories Category",
    ),
    (
        "RightsManagement",
        "RightsManagementSupport RightsManagementTemplates RightsManagementTemplate RightsManagementLicense "
        "EditAllowed ReplyAllowed ReplyAllAllowed ForwardAllowed ModifyRecipientsAllowed ExtractAllowed "
        "PrintAllowed ExportAllowed ProgrammaticAccessAllowed RMOwner ContentExpiryDate TemplateID "
        "TemplateName TemplateDescription ContentOwner RemoveRightsManagementProtection",
    ),
    (
        "Find",
        "Find SearchId ExecuteSearch MailBoxSearchCriterion Query Status FreeText Options Range DeepTraversal "
        "- - Response Result Properties Preview HasAttachments Total DisplayCc DisplayBcc GalSearchCriterion "
        "- - - - - - MaxPictures MaxSize Picture",
    ),
)
PAGE_NAMES: tuple[str, ...] = tuple(name for name, _ in _PAGES)
"""The namespace of each page."""

TAGS: tuple[dict[int, str], ...] = tuple(
    {5 + at: tag for at, tag in enumerate(tags.split()) if tag != "-"} for _, tags in _PAGES
)
"""The tags of each page by number."""

SERVICE_INDICATION = {5: "si", 6: "indication", 7: "info", 8: "item"}
SERVICE_LOADING = {5: "sl"}

_LINKS = ("", "http://", "http://www.", "https://", "https://www.")
INDICATION_STARTS: dict[int, tuple[str, str]] = {
    **{5 + at: ("action", f"signal-{word}") for at, word in enumerate(("none", "low", "medium", "high"))},
    9: ("action", "delete"),
    10: ("created", ""),
    **{11 + at: ("href", link) for at, link in enumerate(_LINKS)},
    16: ("si-expires", ""),
    17: ("si-id", ""),
    18: ("class", ""),
}
LOADING_STARTS: dict[int, tuple[str, str]] = {
    **{5 + at: ("action", word) for at, word in enumerate(("execute-low", "execute-high", "cache"))},
    **{8 + at: ("href", link) for at, link in enumerate(_LINKS)},
}
"""The attributes of a tag by number, with what their values begin with."""

ENDINGS = {0x85: ".com/", 0x86: ".edu/", 0x87: ".net/", 0x88: ".org/"}
"""Parts of values of attributes."""
