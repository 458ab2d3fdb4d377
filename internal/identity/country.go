// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package identity

import "strings"

// countries are the codes of ISO 3166-1, alpha-2 and then alpha-3, in the order of the
// latter.
const countries = "AWABW AFAFG AOAGO AIAIA AXALA ALALB ADAND AEARE ARARG AMARM ASASM AQATA TFATF AGATG " +
	"AUAUS ATAUT AZAZE BIBDI BEBEL BJBEN BQBES BFBFA BDBGD BGBGR BHBHR BSBHS BABIH BLBLM " +
	"BYBLR BZBLZ BMBMU BOBOL BRBRA BBBRB BNBRN BTBTN BVBVT BWBWA CFCAF CACAN CCCCK CHCHE " +
	"CLCHL CNCHN CICIV CMCMR CDCOD CGCOG CKCOK COCOL KMCOM CVCPV CRCRI CUCUB CWCUW CXCXR " +
	"KYCYM CYCYP CZCZE DEDEU DJDJI DMDMA DKDNK DODOM DZDZA ECECU EGEGY ERERI EHESH ESESP " +
	"EEEST ETETH FIFIN FJFJI FKFLK FRFRA FOFRO FMFSM GAGAB GBGBR GEGEO GGGGY GHGHA GIGIB " +
	"GNGIN GPGLP GMGMB GWGNB GQGNQ GRGRC GDGRD GLGRL GTGTM GFGUF GUGUM GYGUY HKHKG HMHMD " +
	"HNHND HRHRV HTHTI HUHUN IDIDN IMIMN ININD IOIOT IEIRL IRIRN IQIRQ ISISL ILISR ITITA " +
	"JMJAM JEJEY JOJOR JPJPN KZKAZ KEKEN KGKGZ KHKHM KIKIR KNKNA KRKOR KWKWT LALAO LBLBN " +
	"LRLBR LYLBY LCLCA LILIE LKLKA LSLSO LTLTU LULUX LVLVA MOMAC MFMAF MAMAR MCMCO MDMDA " +
	"MGMDG MVMDV MXMEX MHMHL MKMKD MLMLI MTMLT MMMMR MEMNE MNMNG MPMNP MZMOZ MRMRT MSMSR " +
	"MQMTQ MUMUS MWMWI MYMYS YTMYT NANAM NCNCL NENER NFNFK NGNGA NINIC NUNIU NLNLD NONOR " +
	"NPNPL NRNRU NZNZL OMOMN PKPAK PAPAN PNPCN PEPER PHPHL PWPLW PGPNG PLPOL PRPRI KPPRK " +
	"PTPRT PYPRY PSPSE PFPYF QAQAT REREU ROROU RURUS RWRWA SASAU SDSDN SNSEN SGSGP GSSGS " +
	"SHSHN SJSJM SBSLB SLSLE SVSLV SMSMR SOSOM PMSPM RSSRB SSSSD STSTP SRSUR SKSVK SISVN " +
	"SESWE SZSWZ SXSXM SCSYC SYSYR TCTCA TDTCD TGTGO THTHA TJTJK TKTKL TMTKM TLTLS TOTON " +
	"TTTTO TNTUN TRTUR TVTUV TWTWN TZTZA UGUGA UAUKR UMUMI UYURY USUSA UZUZB VAVAT VCVCT " +
	"VEVEN VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM ZAZAF ZMZMB ZWZWE "

// issuers are the codes of ICAO 9303 part 3, section 5, that stand in a document's zone
// beside those of ISO 3166-1: organizations, persons without a state, kinds of British
// nationals, Kosovo, and Utopia, the state of specimens.
const issuers = "EUE GBD GBN GBO GBP GBS RKS UNA UNK UNO UTO XAA XAF XBA XCC XCE XCO XEC XIM XMP XOM XPO XXA XXB XXC XXX "

// ParseCountry returns the three letters by which travel documents name a country or
// another issuer, from those or from the two letters of ISO 3166-1, in any case. "D" is
// Germany, as its documents say.
func ParseCountry(s string) (string, bool) {
	c := strings.ToUpper(strings.Trim(s, " <"))
	switch {
	case c == "D":
		return "DEU", true
	case strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return "", false
	case len(c) == 3 && (strings.Contains(countries, c+" ") || strings.Contains(issuers, c+" ")):
		return c, true
	case len(c) == 2:
		for i := 0; i < len(countries); i += 6 {
			if countries[i:i+2] == c {
				return countries[i+2 : i+5], true
			}
		}
	}
	return "", false
}

// Alpha2 returns the two letters of ISO 3166-1 for a country's three, and false where
// there are none.
func Alpha2(alpha3 string) (string, bool) {
	if len(alpha3) != 3 {
		return "", false
	}
	for i := 0; i < len(countries); i += 6 {
		if countries[i+2:i+5] == alpha3 {
			return countries[i : i+2], true
		}
	}
	return "", false
}
